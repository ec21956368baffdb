"""Reads the clauses of the contract, and finds the tests that claim them."""

import ast
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLAUSE_ID = re.compile(r"\d{1,2}\.\d{1,2}")
CLAIM = re.compile(
    r"(?P<ids>\d{1,2}\.\d{1,2}(?:(?:,| and) \d{1,2}\.\d{1,2})*)"
    r"(?: and RFC [\d., ]+)?: (?P<promise>.+)"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A rule that SageMaker has for an inference container, and where it was found.

    `untested` is the reason why no test claims the clause, and empty if a test does.
    """

    id: str
    rule: str
    source: str
    certainty: str
    untested: str = ""

    @property
    def chapter(self) -> int:
        """The number before the point."""
        return int(self.id.partition(".")[0])


@dataclass(frozen=True, slots=True)
class Claim:
    """A test that claims clauses: its docstring begins with their numbers, then its promise."""

    ids: tuple[str, ...]
    promise: str
    test: str
    path: Path


@cache
def load_clauses() -> tuple[Clause, ...]:
    """Return the clauses in docs/contract.toml, in order."""
    content = tomllib.loads((ROOT / "docs" / "contract.toml").read_text(encoding="utf-8"))
    return tuple(Clause(**clause) for clause in content["clauses"])


@cache
def find_claims() -> tuple[Claim, ...]:
    """Return the claims of all tests, sorted by name and path."""
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    claims = [claim for path in paths for claim in _claims_in(path)]
    return tuple(sorted(claims, key=lambda claim: (claim.test, claim.path)))


def _claims_in(path: Path) -> Iterable[Claim]:
    for test in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(test, ast.FunctionDef) or not test.name.startswith("test_"):
            continue
        summary = str(ast.get_docstring(test)).partition("\n\n")[0]
        claim = CLAIM.fullmatch(" ".join(summary.split()))
        if claim:
            ids = tuple(CLAUSE_ID.findall(claim["ids"]))
            yield Claim(ids, claim["promise"], test.name, path.relative_to(ROOT))
