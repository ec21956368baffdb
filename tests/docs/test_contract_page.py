"""The page on the contract lists every clause, and every clause has a test or a reason."""

import re
import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pytest

from tests.support.server import ROOT

sys.path.insert(0, str(ROOT / "docs"))
from clauses import CLAUSE_ID, find_claims, load_clauses

CERTAINTIES = {
    "documented",
    "documented 2023",
    "API model",
    "source code",
    "secondary",
    "inferred",
}
IDS = [clause.id for clause in load_clauses()]
CLAIMED = set(chain.from_iterable(claim.ids for claim in find_claims()))
REFERENCE = re.compile(r"\bcontract,? (\d+\.\d+(?:(?:,| and) \d+\.\d+)*)", re.IGNORECASE)
LEADING_ID = re.compile(r'^    """(\d{1,2}\.\d{1,2})\b(?! s\b)', re.MULTILINE)
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
FOLDERS = ("serve", "container", "deploy", "capacity", "local_test", "tests", "docs", "bench")


def test_claimed_clauses_exist() -> None:
    """Every clause that a test claims is in docs/contract.toml."""
    assert sorted(CLAIMED.difference(IDS)) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_clauses_referred_to_exist(folder: str) -> None:
    """Every clause to which code, a test or a document refers is in docs/contract.toml."""
    paths = chain.from_iterable((ROOT / folder).rglob(f"*.{suffix}") for suffix in ("py", "md"))
    unknown = [
        f"{path.relative_to(ROOT)}: {clause}"
        for path in paths
        for clause in references_in(path.read_text(encoding="utf-8"))
        if clause not in IDS
    ]

    assert unknown == []


def references_in(text: str) -> Iterable[str]:
    """Yield the clauses in references such as `contract 3.5` and `contract 3.2, 3.3 and 3.8`."""
    for reference in REFERENCE.finditer(text):
        yield from CLAUSE_ID.findall(reference[1])


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_docstrings_with_a_clause_are_claims(path: Path) -> None:
    """A docstring that begins with a clause is a claim: clauses, a colon, a promise."""
    claims = [claim for claim in find_claims() if ROOT / claim.path == path]

    assert len(LEADING_ID.findall(path.read_text(encoding="utf-8"))) == len(claims)


def test_each_clause_has_a_test_or_a_reason() -> None:
    """Every clause is claimed by a test, or has `untested` with the reason, and none has both."""
    untested = {clause.id for clause in load_clauses() if clause.untested}

    assert sorted(set(IDS) - CLAIMED - untested) == [], "claim it in a test, or add `untested`"
    assert sorted(CLAIMED & untested) == [], "a test claims it: remove `untested`"


def test_clauses_are_numbered_without_gaps() -> None:
    """Clauses are numbered from 1 in each chapter, in order."""
    numbers = [tuple(map(int, clause.split("."))) for clause in IDS]

    assert numbers == sorted(set(numbers))
    for chapter, number in numbers:
        assert number == 1 or (chapter, number - 1) in numbers, (chapter, number)


def test_each_clause_is_on_the_page() -> None:
    """The page has a row for every clause, with its rule and the source."""
    page = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")

    for clause in load_clauses():
        assert f"| {clause.id} | {clause.rule} | {clause.source}<br>" in page


def test_certainties_are_explained() -> None:
    """Every certainty of a clause is one that the page explains."""
    page = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")

    assert {clause.certainty for clause in load_clauses()} == CERTAINTIES
    assert all(f"| {certainty} | " in page for certainty in CERTAINTIES)
