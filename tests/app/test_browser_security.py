"""Other web sites cannot use or read the application, although it is on the loopback."""

import pytest
import requests

from tests.support.application import App, form_values, visible_text
from tests.support.diamonds import ROWS

FORM = form_values(ROWS[0])


@pytest.mark.parametrize("path", ["/", "/file", "/nowhere", "/static/style.css"])
def test_security_headers(app: App, path: str) -> None:
    """Every response forbids scripts, other origins, frames, content sniffing and referrers."""
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
def test_cross_site_forms(app: App, headers: dict[str, str], status: int) -> None:
    """Only the application's own pages, or a client other than a browser, can submit a form."""
    page = app.post(FORM, **headers)

    assert page.status_code == status
    assert ("sent by another web site" in visible_text(page)) == (status == 403)


def test_origin_without_fetch_metadata(app: App) -> None:
    """The application's own Origin is accepted from a browser without Sec-Fetch-Site."""
    assert app.post(FORM, Origin=app.url).status_code == 200


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "127.0.0.1.elsewhere.example", "10.0.0.1:8000", "", "a b"]
)
def test_other_host_names(app: App, host: str) -> None:
    """A Host that is not the loopback, as after DNS rebinding, is a 400 without the page."""
    page = app.get("/", Host=host)

    assert page.status_code == 400
    assert "Predict" not in page.text


def test_localhost(app: App) -> None:
    """The host name localhost is accepted."""
    host = app.url.removeprefix("http://").replace("127.0.0.1", "localhost")

    assert app.get("/", Host=host).status_code == 200


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", '" autofocus onfocus=alert(1) x="', "'\"><svg onload=alert(1)>"],
)
def test_input_is_escaped(app: App, text: str) -> None:
    """Markup typed into a field is escaped in the page."""
    page = app.post(FORM | {"f0": text})

    assert page.status_code == 422
    assert text not in page.text
    assert 'onfocus=alert(1) x="' not in page.text


def test_form_limit(app: App) -> None:
    """A form of 900,000 characters is a 413."""
    assert app.post(FORM | {"f0": "1" * 900_000}).status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods(app: App, method: str) -> None:
    """An unsupported method is a 405 HTML page; HEAD is supported."""
    page = requests.request(method, app.url, timeout=30)

    assert requests.head(app.url, timeout=30).status_code == 200
    assert page.status_code == 405
    assert page.headers["Content-Type"].startswith("text/html")
