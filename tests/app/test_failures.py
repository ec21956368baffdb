"""An endpoint that is down, slow, or sends errors or garbage leads to a page that explains it."""

from collections.abc import Iterator

import pytest

from tests.support.application import App, application, form_values, visible_text
from tests.support.diamonds import CSV, ROWS
from tests.support.scripted_endpoint import ScriptedEndpoint, error_response, running_endpoint
from tests.support.server import free_port

FORM = form_values(ROWS[0])


@pytest.fixture(scope="module")
def endpoint() -> Iterator[ScriptedEndpoint]:
    with running_endpoint(ScriptedEndpoint()) as scripted:
        yield scripted


@pytest.fixture(scope="module")
def app(endpoint: ScriptedEndpoint) -> Iterator[App]:
    with application("--endpoint", endpoint.url) as running:
        yield running


def assert_both_pages_report(app: App, status: int, message: str) -> None:
    for page in (app.post(FORM), app.upload(CSV.encode())):
        assert page.status_code == status, visible_text(page)
        assert message in visible_text(page)
        assert 'role="alert"' in page.text
        assert "Traceback" not in page.text


def test_endpoint_is_not_running() -> None:
    """An endpoint that is not running is a 502 with its address and the command that starts one."""
    url = f"http://127.0.0.1:{free_port()}"
    with application("--endpoint", url) as app:
        page = app.post(FORM)

        assert_both_pages_report(
            app,
            502,
            f"Cannot connect to {url}/invocations. Is it running? “make serve” starts one.",
        )
        assert f'value="{ROWS[0][0]}"' in page.text
        assert "No response was received." in visible_text(page)


@pytest.mark.parametrize(
    "response",
    [ScriptedEndpoint(), ScriptedEndpoint(200, b"{", {"Content-Length": "100"})],
    ids=["before-the-status", "within-the-body"],
)
def test_timeout(response: ScriptedEndpoint) -> None:
    """A response that is not complete within the timeout is a 504 that states the timeout."""
    with (
        running_endpoint(response, stalls=True) as endpoint,
        application("--endpoint", endpoint.url, "--timeout", "0.5") as app,
    ):
        assert_both_pages_report(app, 504, "within 0.5 seconds")


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (
            error_response(503, "too many <b>wait</b>"),
            "It is busy. Try again in a moment. (too many <b>wait</b>)",
        ),
        (error_response(500, "see the log"), "see the log"),
        (
            ScriptedEndpoint(404, b"<html>not here</html>"),
            "It returned status 404 without a message.",
        ),
        (
            ScriptedEndpoint(302, b"", {"Location": "http://127.0.0.1:9/"}),
            "Expected status 200 OK, got 302 Found.",
        ),
    ],
    ids=["busy", "internal-error", "not-an-endpoint", "redirect"],
)
def test_error_responses(
    app: App, endpoint: ScriptedEndpoint, response: ScriptedEndpoint, message: str
) -> None:
    """The page shows the endpoint's message or status; redirects are not followed."""
    endpoint.respond_as(response)

    assert_both_pages_report(app, 502, message)


def test_input_error_without_a_column(app: App, endpoint: ScriptedEndpoint) -> None:
    """A 400 whose message names no column is a 422 with that message."""
    endpoint.respond_as(error_response(400, "nothing of this kind"))

    assert_both_pages_report(app, 422, "nothing of this kind")


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ('row 1, column "carat": expected a number, got "a: b"', 'expected a number, got "a: b"'),
        ('the column "carat" overflows', 'the column "carat" overflows'),
    ],
    ids=["after-the-column", "around-the-column"],
)
def test_input_error_with_a_column(
    app: App, endpoint: ScriptedEndpoint, message: str, error: str
) -> None:
    """A 400 whose message names a column is shown at that field, without row and column in front.

    Only the form ``column "name": …`` counts; other wording is shown in full.
    """
    endpoint.respond_as(error_response(400, message))
    page = app.post(FORM)

    assert page.status_code == 422
    assert 'id="f0-error"' in page.text
    assert f"Error: {error}" in visible_text(page)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (r"row 1, column \"\ud800\": bad", r"column \"\ud800\": bad"),
        (r"\udfff", r"\udfff"),
        (r"row 1, column \"\\q\": bad", r"column \"\q\": bad"),
        (r"row 1, column \"carat\": \u0000", ""),
    ],
)
def test_messages_with_any_characters(
    app: App, endpoint: ScriptedEndpoint, message: str, shown: str
) -> None:
    """A message with half a surrogate pair, an escape or a null is a 422, with it escaped."""
    body = f'{{"error": "ScriptedError", "message": "{message}"}}'.encode()
    endpoint.respond_as(ScriptedEndpoint(400, body))

    assert_both_pages_report(app, 422, shown.replace('\\"', '"'))


@pytest.mark.parametrize(
    "body",
    [
        b'{"predictions": [{"score": {}}]}',
        b'{"predictions": [[1]]}',
        b'{"predictions": [{"score": 1, "contributions": [1], "margin": 1, "bias": 0}]}',
        b"",
        b"hello",
        b"{}",
        b'{"predictions": []}',
        b'{"predictions": [{"score": null}]}',
        b'{"predictions": [{"score": NaN}]}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
    ids=[
        "empty-score",
        "list",
        "list-of-contributions",
        "empty",
        "text",
        "object",
        "no-predictions",
        "null",
        "nan",
        "deep",
        "not-utf-8",
    ],
)
def test_invalid_response_to_a_record(app: App, endpoint: ScriptedEndpoint, body: bytes) -> None:
    """A 200 without exactly one finite prediction is reported as an invalid response."""
    endpoint.respond_as(ScriptedEndpoint(200, body))
    page = app.post(FORM)

    assert page.status_code == 502
    assert "The endpoint’s response is invalid" in visible_text(page)


def test_invalid_response_to_a_file(app: App, endpoint: ScriptedEndpoint) -> None:
    """A 200 with fewer lines than records, or with invalid CSV, is an invalid response."""
    endpoint.respond_as(ScriptedEndpoint(200, b"1\n2\n"))
    too_few = app.upload(CSV.encode())
    endpoint.respond_as(ScriptedEndpoint(200, b"1" * 200_000))
    not_csv = app.upload(CSV.encode())

    assert too_few.status_code == 502
    assert "Expected 10 predictions, one per record, got 2." in visible_text(too_few)
    assert "Expected CSV with one line per record" in visible_text(not_csv)


def test_interrupted_response(app: App, endpoint: ScriptedEndpoint) -> None:
    """A response shorter than its Content-Length is an invalid response."""
    endpoint.respond_as(ScriptedEndpoint(200, b'{"predic', {"Content-Length": "100"}))

    assert_both_pages_report(app, 502, "The connection closed before the response was complete.")
