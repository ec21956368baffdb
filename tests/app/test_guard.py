"""What other sites cannot do with an application on the loopback."""

import pytest
import requests

from tests.support.application import App, form_values, visible_text
from tests.support.diamonds import ROWS

FORM = form_values(ROWS[0])


@pytest.mark.parametrize("path", ["/", "/file", "/nowhere", "/static/style.css"])
def test_every_reply_has_the_headers(app: App, path: str) -> None:
    """No script, nothing from elsewhere, no frame, no guessing of media types, no referrer."""
    headers = app.get(path).headers

    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({"Sec_Fetch_Site": "same-origin", "Origin": "null"}, 200),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
    ],
)
def test_forms_of_other_sites_are_refused(app: App, headers: dict[str, str], status: int) -> None:
    """A form is taken only from the application's own pages, or from no browser at all."""
    page = app.post(FORM, **headers)

    assert page.status_code == status
    assert ("sent by another site" in visible_text(page)) == (status == 403)


def test_the_own_origin_is_taken(app: App) -> None:
    """A browser without Fetch Metadata is known by its Origin."""
    assert app.post(FORM, Origin=app.url).status_code == 200


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "127.0.0.1.elsewhere.example", "10.0.0.1:8000", "", "a b"]
)
def test_foreign_names_are_refused(app: App, host: str) -> None:
    """A name that is not the loopback's, as after DNS rebinding, gets a 400 and nothing of the page."""
    page = app.get("/", Host=host)

    assert page.status_code == 400
    assert "Predict" not in page.text


def test_localhost_is_a_name_of_it(app: App) -> None:
    """Under localhost it answers, too."""
    assert (
        app.get(
            "/", Host=app.url.removeprefix("http://").replace("127.0.0.1", "localhost")
        ).status_code
        == 200
    )


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", '" autofocus onfocus=alert(1) x="', "'\"><svg onload=alert(1)>"],
)
def test_what_is_typed_is_text(app: App, text: str) -> None:
    """Whatever is typed comes back escaped."""
    page = app.post(FORM | {"f0": text})

    assert page.status_code == 422
    assert text not in page.text
    assert 'onfocus=alert(1) x="' not in page.text


def test_large_forms_are_refused(app: App) -> None:
    """A form of a million characters is a 413, not work."""
    assert app.post(FORM | {"f0": "1" * 900_000}).status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_pages_too(app: App, method: str) -> None:
    """What no page takes is answered in a page."""
    page = requests.request(method, app.url, timeout=30)

    assert requests.head(app.url, timeout=30).status_code == 200
    assert page.status_code == 405
    assert page.headers["Content-Type"].startswith("text/html")
