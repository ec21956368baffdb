"""The appearance of the application: contrast, width on a phone, and the README's screenshot."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.app.browser.test_browser import fill_in
from tests.support.application import App
from tests.support.diamonds import ROWS
from tests.support.server import ROOT

# Where make app-picture writes the README's screenshot; otherwise tests write only to tmp_path.
PICTURE = os.environ.get("APP_PICTURE")
# JavaScript that returns [text, its color, the color behind it] of every element with text.
TEXT_COLORS = """() => {
    const numbers = color => color.match(/[\\d.]+/g).map(Number);
    const findBackground = element => {
        for (; element; element = element.parentElement) {
            const color = numbers(getComputedStyle(element).backgroundColor);
            if (color.length < 4 || color[3] > 0) return color.slice(0, 3);
        }
    };
    const hasText = element => [...element.childNodes]
        .some(node => node.nodeType === 3 && node.textContent.trim());
    const findColor = element =>
        numbers(getComputedStyle(element)[element.closest("svg") ? "fill" : "color"]);
    return [...document.querySelectorAll("body *")]
        .filter(hasText)
        .filter(element => !["TITLE", "DESC", "OPTION"].includes(element.tagName.toUpperCase()))
        .map(element => [element.textContent, findColor(element), findBackground(element)]);
}"""


def contrast_ratio(first: list[int], second: list[int]) -> float:
    """Return the contrast ratio of two sRGB colors, as WCAG 2 defines it."""
    dark, bright = sorted([relative_luminance(first), relative_luminance(second)])
    return (bright + 0.05) / (dark + 0.05)


def relative_luminance(color: list[int]) -> float:
    red, green, blue = (linearize(channel / 255) for channel in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linearize(channel: float) -> float:
    return float(channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_contrast_and_width(chromium: Any, app: App, scheme: str, width: int) -> None:
    """All text has a contrast ratio of at least 4.5 in both schemes; nothing overflows the page."""
    context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(f"{app.url}/?example=")
    page.get_by_label("Weight of the diamond").fill("9")
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("region", name="Why").wait_for()
    page.wait_for_load_state()
    pairs = page.evaluate(TEXT_COLORS)
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    context.close()

    assert len(pairs) > 40
    ratios = [(text, contrast_ratio(color, behind)) for text, color, behind in pairs]
    assert [(text, ratio) for text, ratio in ratios if ratio < 4.5] == []
    assert overflow <= 0
    assert (background == "rgb(20, 23, 26)") == (scheme == "dark")


def test_readme_picture(chromium: Any, app: App, tmp_path: Path) -> None:
    """The README's screenshot shows a prediction and its explanation in less than 150 kB."""
    context = chromium.new_context(viewport={"width": 1120, "height": 860})
    page = context.new_page()
    page.goto(app.url)
    fill_in(page, ROWS[0])
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("region", name="Why").wait_for()
    page.wait_for_load_state()
    page.evaluate("window.scrollTo(0, 0)")
    path = ROOT / PICTURE if PICTURE else tmp_path / "app.png"
    path.parent.mkdir(exist_ok=True)
    page.screenshot(path=path)
    context.close()

    assert path.stat().st_size < 150_000
