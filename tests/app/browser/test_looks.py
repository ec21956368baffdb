"""How the application looks: readable in light and dark, no wider than a phone, and as the README shows it."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.app.browser.test_browser import fill_in
from tests.support.application import App
from tests.support.diamonds import ROWS
from tests.support.server import ROOT

# Where make app-picture puts the picture of the README; unasked, no test writes into the tree.
PICTURE = os.environ.get("APP_PICTURE")


def contrast(one: list[int], other: list[int]) -> float:
    """Return the contrast of two colours, by WCAG."""

    def luminance(colour: list[int]) -> float:
        parts = [
            part / 255 / 12.92 if part / 255 <= 0.03928 else ((part / 255 + 0.055) / 1.055) ** 2.4
            for part in colour
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    bright, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_light_and_dark_and_narrow(chromium: Any, app: App, scheme: str, width: int) -> None:
    """All text has a contrast of at least 4.5 in both schemes, and nothing is wider than a phone."""
    context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(f"{app.url}/?example=")
    page.get_by_label("Weight of the diamond").fill("9")
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("region", name="Why").wait_for()
    page.wait_for_load_state()
    pairs = page.evaluate("""() => {
        const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
        const behind = element => {
            for (; element; element = element.parentElement) {
                const colour = numbers(getComputedStyle(element).backgroundColor);
                if (colour.length < 4 || colour[3] > 0) return colour.slice(0, 3);
            }
        };
        return [...document.querySelectorAll("body *")]
            .filter(each => [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()))
            .filter(each => !["TITLE", "DESC", "OPTION"].includes(each.tagName.toUpperCase()))
            .map(each => [each.textContent, numbers(getComputedStyle(each)[each.closest("svg") ? "fill" : "color"]), behind(each)]);
    }""")
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    context.close()

    assert len(pairs) > 40
    assert [
        (text, round(contrast(ink, back), 2))
        for text, ink, back in pairs
        if contrast(ink, back) < 4.5
    ] == []
    assert overflow <= 0
    assert (background == "rgb(20, 23, 26)") == (scheme == "dark")


def test_the_readmes_picture(chromium: Any, app: App, tmp_path: Path) -> None:
    """The README's picture is of the form, its prediction and why, and small enough for a page."""
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
