"""The application in a real browser: by keyboard, with and without JavaScript."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local_test.app.schema import capitalize_first
from tests.support.application import App
from tests.support.diamonds import FEATURES, PAYLOADS, ROWS, expected

PRICE = f"{float(expected()[0]):,.0f} US dollars"


@pytest.fixture(params=[False, True], ids=["without-javascript", "with-javascript"])
def page(chromium: Any, app: App, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The record page; a request to another host, or a message in the console, fails the test."""
    context = chromium.new_context(java_script_enabled=request.param, accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    hosts, messages = set(), []
    opened.on("request", lambda sent: hosts.add(urlsplit(sent.url).netloc))
    opened.on("console", lambda message: messages.append(message.text))
    opened.on("dialog", lambda dialog: messages.append(dialog.message))
    opened.goto(app.url)
    yield opened
    context.close()

    assert hosts == {urlsplit(app.url).netloc}
    assert [text for text in messages if "status of 4" not in text] == []


def fill_in(page: Any, row: list[str]) -> None:
    """Fill in the form, finding each control by its label."""
    for feature, cell in zip(FEATURES, row, strict=True):
        label = f"{capitalize_first(feature['description'])} {feature['name']}"
        control = page.get_by_label(label, exact=True)
        control.select_option(cell) if "categories" in feature else control.fill(cell)


def type_in(page: Any, row: list[str]) -> None:
    """Fill in the form with the keyboard alone, from the top of the page."""
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    for cell in row:
        page.keyboard.type(cell)
        page.keyboard.press("Tab")


def test_keyboard_alone(page: Any) -> None:
    """Tab and Enter suffice for a prediction, which then has the focus."""
    type_in(page, ROWS[0])
    page.keyboard.press("Enter")
    page.get_by_role("region", name="Price").wait_for()
    page.wait_for_load_state()

    assert PRICE in " ".join(page.get_by_role("region", name="Price").inner_text().split())
    assert page.locator(":focus").get_attribute("aria-labelledby") == "result-title"
    assert page.title().startswith(PRICE)


def test_accessible_names_and_roles(page: Any) -> None:
    """A screen reader finds landmarks, headings, labeled fields with hints, and chart texts."""
    blank = page.locator("body").aria_snapshot()
    page.get_by_role("link", name="Fill in an example").click()
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("region", name="Why").wait_for()
    page.wait_for_load_state()
    filled = page.locator("body").aria_snapshot()

    for role in (
        "banner",
        'navigation "Pages"',
        "main",
        "contentinfo",
        'heading "Price of the diamond" [level=1]',
        "group",
    ):
        assert role in blank
    assert 'textbox "Weight of the diamond carat"' in blank
    assert 'combobox "Quality of the cut, worst first cut"' in blank
    assert page.get_by_role("textbox", name="Height").get_attribute("aria-describedby") == "f8-hint"
    assert 'region "Price"' in filled
    assert 'img "Contribution of each column to the prediction' in filled
    assert page.locator("svg desc").inner_html().startswith("Average 3,918; ")


def test_validation_message(page: Any) -> None:
    """An invalid number is reported by the page, not by the browser, with a valid alternative."""
    fill_in(page, ["0,7", *ROWS[0][1:]])
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("alert").wait_for()

    assert "with a decimal point, not a comma: 0.7" in page.locator("#f0-error").inner_text()
    assert page.get_by_role("region", name="Price").count() == 0


def test_endpoint_error_at_its_field(page: Any) -> None:
    """A value that only the endpoint rejects is reported at its field.

    The summary has the focus, and its link leads to the field.
    """
    fill_in(page, ["1e300", *ROWS[0][1:]])
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("alert").wait_for()
    page.wait_for_load_state()
    field = page.get_by_role("textbox", name="Weight of the diamond")

    assert page.title().startswith("Error: ")
    assert page.locator(":focus").get_attribute("role") == "alert"
    assert field.get_attribute("aria-invalid") == "true"
    assert field.get_attribute("aria-describedby") == "f0-hint f0-error"
    assert field.input_value() == "1e300"
    page.get_by_role("alert").get_by_role("link").click()
    page.locator("#f0:focus").wait_for()


def test_waterfall_and_http_exchange(page: Any) -> None:
    """Each column has a bar, and a click opens the HTTP request and response."""
    fill_in(page, ROWS[0])
    page.get_by_role("button", name="Predict").click()
    page.get_by_text("HTTP request and response").click()

    assert page.locator("svg.waterfall rect:not(.track)").count() == len(FEATURES)
    assert f'"cut": "{ROWS[0][1]}"' in page.get_by_label("Request", exact=True).inner_text()
    assert page.get_by_label("Response", exact=True).inner_text().startswith("200 OK\n")


def test_file_upload_and_download(page: Any, tmp_path: Path) -> None:
    """An uploaded file is charted, and its download has one more column."""
    page.get_by_role("link", name="CSV file").click()
    page.get_by_label("CSV file").set_input_files(PAYLOADS / "diamonds-header.csv")
    page.get_by_role("button", name="Predict").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download diamonds-header-predicted.csv").click()
    download.value.save_as(tmp_path / "predicted.csv")
    lines = (tmp_path / "predicted.csv").read_bytes().splitlines()

    assert page.get_by_role("img", name="Histogram of predicted_price").is_visible()
    assert [line.rpartition(b",")[0] for line in lines] == (
        PAYLOADS / "diamonds-header.csv"
    ).read_bytes().splitlines()
    assert [float(line.rpartition(b",")[2]) for line in lines[1:]] == pytest.approx(
        expected(), rel=1e-6
    )


def test_upload_limit(page: Any, tmp_path: Path) -> None:
    """A file larger than the limit leads to a page, not to a connection error in the browser."""
    (tmp_path / "large.csv").write_bytes(b"1" * (8 << 20))
    page.goto(page.url + "file")
    page.get_by_label("CSV file").set_input_files(tmp_path / "large.csv")
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("alert").wait_for()
    page.wait_for_load_state()

    assert "larger than 1 MiB" in page.get_by_role("alert").inner_text()


def test_scripts_are_escaped(page: Any, tmp_path: Path) -> None:
    """A script in a file's name or cells is shown as text and does not run."""
    path = tmp_path / "<img src=x onerror=alert(1)>.csv"
    lines = (PAYLOADS / "diamonds.csv").read_text().splitlines()
    path.write_text("\n".join([*lines, ",".join(["1", "<script>alert(1)</script>", *ROWS[0][2:]])]))
    page.goto(page.url + "file")
    page.get_by_label("CSV file").set_input_files(path)
    page.get_by_role("button", name="Predict").click()

    assert (
        "<script>alert(1)</script>"
        in page.get_by_role("region", name="One row has no prediction").inner_text()
    )
    assert page.locator("main img, script").count() == 0
