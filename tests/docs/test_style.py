"""The rules of docs/style.md that a program can check, over all tracked text."""

import re
import subprocess

import pytest

from tests.support.server import ROOT

# Phrases of 0.1.0 that read like a translation, and words that the glossary replaces.
TRANSLATED = re.compile(
    r"\b(anew|all but those|(all|none|nothing) but for|way back|mend(s|ed|ing)?|glued?"
    r"|br(eak|eaks|oke|oken) off|read over|artefacts?|licences?|stand-?in|that is none"
    r"|whoever|hears of|of (Flask|gunicorn|XGBoost|AWS|HTTP)'s)\b"
)
PRAGMA = re.compile(r"  # (noqa|type: ignore).*")
QUOTES_THEM = {"LICENSE", "CHANGELOG.md", "docs/glossary.md", "tests/docs/test_style.py"}
NO_PROSE = [":!bench/results", ":!*requirements*.txt", ":!tests/support/old_models", ":!*.png"]


def list_texts() -> list[str]:
    command = ["git", "ls-files", "--", ".", *NO_PROSE]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in names.splitlines() if name not in QUOTES_THEM]


@pytest.mark.parametrize("name", list_texts())
def test_plain_english_within_100_columns(name: str) -> None:
    """No text contains a phrase of the list above, and no line of Python exceeds 100 columns."""
    content = (ROOT / name).read_bytes()
    for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
        found = TRANSLATED.search(line)

        assert found is None, f"{name}:{number}: {found}"
        assert not name.endswith(".py") or len(PRAGMA.sub("", line)) <= 100, f"{name}:{number}"
