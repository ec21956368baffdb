"""A fixture with the system's Chromium, headless, driven by Playwright."""

import importlib
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's Chromium."""
    # Imported by name, because mypy runs without the dependency group that contains Playwright.
    api = importlib.import_module("playwright.sync_api")
    path = next(filter(None, map(shutil.which, EXECUTABLES)), None)
    assert path, "Chromium is not installed: make test-app installs it"
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
