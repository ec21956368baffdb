"""The variables that are not read are named as such, and the page names no other."""

import re
from dataclasses import fields

from serve.settings import Settings
from tests.support.server import ROOT


def test_variables_that_are_not_read_are_named() -> None:
    """8.3 and 8.4: what users of other images set is either a setting or on the page that says why it is none."""
    page = (ROOT / "docs" / "settings.md").read_text()
    _, _, page = page.partition("## Variables of other images")
    table = "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("|"))
    unread = set(re.findall(r"`(\w+)`", table))

    assert {
        "SAGEMAKER_PROGRAM",
        "SAGEMAKER_SUBMIT_DIRECTORY",
        "SAGEMAKER_SAFE_PORT_RANGE",
        "SAGEMAKER_MAX_REQUEST_SIZE",
    } <= unread
    assert unread.isdisjoint(field.metadata["variable"] for field in fields(Settings))
