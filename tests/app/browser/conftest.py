"""Chromium, the system's own, without a head, and playwright: make test-app sees to both."""

import importlib
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser."""
    api = importlib.import_module(
        "playwright.sync_api"
    )  # it is no part of the group that the types are checked with
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path, "Chromium is not installed: make test-app does it"
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
