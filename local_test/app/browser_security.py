"""What keeps other sites out of the application: headers, and where a form may come from."""

from flask import Flask, Request, Response, abort, request

# No script at all, nothing from elsewhere, and in nobody's frame.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HOSTS = ["127.0.0.1", "localhost"]


def guard(app: Flask) -> None:
    """Have the application answer only to names of the loopback, and take forms only from its own pages."""
    # A name that an attacker's DNS points at the loopback is none of these: rebinding.
    app.config["TRUSTED_HOSTS"] = HOSTS
    app.before_request(_refuse_foreign_forms)
    app.after_request(_with_headers)


def _refuse_foreign_forms() -> None:
    if request.method == "POST" and not _is_own(request):
        abort(
            403,
            "This form was sent by another site. Open the application’s own page, and send it from there.",
        )


def _is_own(sent: Request) -> bool:
    """Tell whether a request comes from the application's pages, or from no browser."""
    site = sent.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    return sent.headers.get("Origin") in (None, sent.host_url.rstrip("/"))


def _with_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response
