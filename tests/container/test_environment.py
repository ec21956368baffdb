"""docs/settings.md lists the variables of other images that the server ignores."""

import re
from dataclasses import fields

from serve.settings import Settings
from tests.support.server import ROOT


def test_ignored_variables_are_documented() -> None:
    """8.3 and 8.4: a variable of other images is a setting or is documented as ignored."""
    page = (ROOT / "docs" / "settings.md").read_text()
    _, _, page = page.partition("## Variables of other images")
    table = "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("|"))
    ignored = set(re.findall(r"`(\w+)`", table))

    assert {
        "SAGEMAKER_PROGRAM",
        "SAGEMAKER_SUBMIT_DIRECTORY",
        "SAGEMAKER_SAFE_PORT_RANGE",
        "SAGEMAKER_MAX_REQUEST_SIZE",
    } <= ignored
    assert ignored.isdisjoint(field.metadata["variable"] for field in fields(Settings))
