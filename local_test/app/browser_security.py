"""Protect the application from other web sites, with response headers and checks of the origin."""

from flask import Flask, Response, abort, request

from local_test.same_origin import is_same_origin

# No scripts, no resources from other origins, no embedding in a frame.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HOSTS = ["127.0.0.1", "localhost"]


def protect(app: Flask) -> None:
    """Make the application accept only loopback host names and only forms from its own pages."""
    # Prevents DNS rebinding: an attacker's host name that resolves to 127.0.0.1 is not in the list.
    app.config["TRUSTED_HOSTS"] = HOSTS
    app.before_request(_reject_cross_site_forms)
    app.after_request(_add_headers)


def _reject_cross_site_forms() -> None:
    if request.method == "POST" and not is_same_origin(request):
        abort(
            403,
            "This form was sent by another web site. "
            "Open the application’s own page and submit the form there.",
        )


def _add_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response
