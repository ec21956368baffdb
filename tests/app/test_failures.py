"""The endpoint is down, slow, refuses or replies nonsense: the page says so in words, and keeps what was typed."""

from collections.abc import Iterator

import pytest

from tests.support.application import App, application, form_values, visible_text
from tests.support.diamonds import CSV, ROWS
from tests.support.scripted_endpoint import ScriptedEndpoint, error_response, running_endpoint
from tests.support.server import free_port

FORM = form_values(ROWS[0])


@pytest.fixture(scope="module")
def endpoint() -> Iterator[ScriptedEndpoint]:
    with running_endpoint(ScriptedEndpoint()) as standing:
        yield standing


@pytest.fixture(scope="module")
def app(endpoint: ScriptedEndpoint) -> Iterator[App]:
    with application("--endpoint", endpoint.url) as running:
        yield running


def assert_told(app: App, status: int, words: str) -> None:
    for page in (app.post(FORM), app.upload(CSV.encode())):
        assert page.status_code == status, visible_text(page)
        assert words in visible_text(page)
        assert 'role="alert"' in page.text
        assert "Traceback" not in page.text


def test_nothing_answers() -> None:
    """Without an endpoint the page says where none answers, and how to start one."""
    url = f"http://127.0.0.1:{free_port()}"
    with application("--endpoint", url) as app:
        page = app.post(FORM)

        assert_told(
            app,
            502,
            f"Nothing answers at {url}/invocations. Is it running? “make serve” starts one.",
        )
        assert f'value="{ROWS[0][0]}"' in page.text
        assert "None came." in visible_text(page)


@pytest.mark.parametrize(
    "answer",
    [ScriptedEndpoint(), ScriptedEndpoint(200, b"{", {"Content-Length": "100"})],
    ids=["silent", "in-the-middle"],
)
def test_no_reply_in_time(answer: ScriptedEndpoint) -> None:
    """An endpoint that does not reply, whole, within the time limit is a 504 that says so."""
    with (
        running_endpoint(answer, silent=True) as endpoint,
        application("--endpoint", endpoint.url, "--timeout", "0.5") as app,
    ):
        assert_told(app, 504, "within 0.5 seconds")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            error_response(503, "too many <b>wait</b>"),
            "It is busy; try again in a moment. (too many <b>wait</b>)",
        ),
        (error_response(500, "see the log"), "see the log"),
        (ScriptedEndpoint(404, b"<html>not here</html>"), "It answered 404 without saying why."),
        (
            ScriptedEndpoint(302, b"", {"Location": "http://127.0.0.1:9/"}),
            "It answered 302 Found, where 200 OK was expected.",
        ),
    ],
    ids=["busy", "broken", "elsewhere", "redirect"],
)
def test_refusals(
    app: App, endpoint: ScriptedEndpoint, answer: ScriptedEndpoint, words: str
) -> None:
    """What the endpoint says is passed on in the user's words; a redirect is not followed."""
    endpoint.respond_as(answer)

    assert_told(app, 502, words)


def test_a_refused_record_is_told_as_such(app: App, endpoint: ScriptedEndpoint) -> None:
    """A 400 that names no column of the form stands above the result, as the input's fault."""
    endpoint.respond_as(error_response(400, "nothing of this kind"))

    assert_told(app, 422, "nothing of this kind")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{}",
        b'{"predictions": []}',
        b'{"predictions": [{"score": null}]}',
        b'{"predictions": [{"score": NaN}]}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
    ids=["empty", "text", "object", "none", "null", "nan", "deep", "bytes"],
)
def test_nonsense(app: App, endpoint: ScriptedEndpoint, body: bytes) -> None:
    """A 200 that is no reply to one record is called that, never shown as a prediction."""
    endpoint.respond_as(ScriptedEndpoint(200, body))
    page = app.post(FORM)

    assert page.status_code == 502
    assert "The endpoint’s reply makes no sense" in visible_text(page)


def test_fewer_predictions_than_rows(app: App, endpoint: ScriptedEndpoint) -> None:
    """A reply with fewer lines than records makes no file, and neither does one that is no CSV."""
    endpoint.respond_as(ScriptedEndpoint(200, b"1\n2\n"))
    page = app.upload(CSV.encode())
    endpoint.respond_as(ScriptedEndpoint(200, b"1" * 200_000))
    other = app.upload(CSV.encode())

    assert page.status_code == 502
    assert "10 records were sent, and 2 predictions came back." in visible_text(page)
    assert "A line of CSV for each record was expected back" in visible_text(other)


def test_a_reply_that_breaks_off(app: App, endpoint: ScriptedEndpoint) -> None:
    """A reply shorter than it says is no reply."""
    endpoint.respond_as(ScriptedEndpoint(200, b'{"predic', {"Content-Length": "100"}))

    assert_told(app, 502, "The reply broke off before its end.")
