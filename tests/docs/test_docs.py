"""The documents say what is so."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from serve import __version__
from tests.support.diamonds import CSV, FEATURES, expected
from tests.support.server import ROOT, Server

sys.path.insert(0, str(ROOT / "docs"))
import tables

DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "model" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


def relative_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", tables.documents(), ids=relative_name)
def test_generated_tables_are_current(path: Path) -> None:
    """Columns, media types, statuses, settings and clauses stand in the documents as the code has them; make docs writes them."""
    assert tables.with_tables(path.read_text()) == path.read_text()


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative_name)
def test_links_resolve(path: Path) -> None:
    """Each relative link leads to an existing file, and each fragment to a heading of it."""
    for link in re.findall(r"\]\(([^)]+)\)", path.read_text()):
        name, _, fragment = link.partition("#")
        target = path.parent / name if name else path

        assert target.exists(), link
        if fragment:
            assert fragment in headings(target), link


def headings(path: Path) -> set[str]:
    """Return the fragments of a document's headings, as GitHub generates them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative_name)
def test_verbs_exist(path: Path) -> None:
    """Each make verb that a document names is one, and make alone prints it."""
    printed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    verbs = set(re.findall(r"^make ([a-z-]+) ", printed, flags=re.MULTILINE))

    for words in re.findall(
        r"^(?:[A-Z_]+=\S+ )?make ([a-z ]+)$|`(?:[A-Z_]+=\S+ )?make ([a-z ]+)`",
        path.read_text(),
        flags=re.MULTILINE,
    ):
        assert set("".join(words).split()) <= verbs


def test_the_readmes_commands_work(diamonds: Server) -> None:
    """The README's curl lines do what it says, against a server on the sample model."""
    commands = [
        line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("curl ")
    ]

    assert len(commands) == 2
    for command in commands:
        words = shlex.split(command.replace("http://127.0.0.1:8080", diamonds.url))
        output = subprocess.run(
            [*words, "--silent", "--fail-with-body"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert ("2008.307" in output) == ("invocations" in command)


@pytest.mark.parametrize("media_type", ["text/csv", "text/libsvm"])
def test_the_readmes_rows_are_records(diamonds: Server, media_type: str) -> None:
    """The whole rows of the README's table of shapes are records of the sample model, and what is absent is missing."""
    row = re.search(
        rf"^\| `([^`]+)`, one line per record.* \| `{media_type}` \|$",
        (ROOT / "docs" / "requests.md").read_text(),
        re.MULTILINE,
    )
    assert row
    cells = row[1].split(",")
    if media_type == "text/libsvm":
        numbers = dict(pair.split(":") for pair in row[1].split()[1:])
        cells = [numbers.get(str(place), "") for place in range(len(FEATURES))]
        cells = [
            feature["categories"][int(cell)] if "categories" in feature else cell
            for feature, cell in zip(FEATURES, cells, strict=True)
        ]

    assert float(diamonds.post(row[1], media_type).text) == pytest.approx(
        float(expected([cells])[0]), rel=1e-6
    )


def test_the_readmes_example_of_an_error(diamonds: Server) -> None:
    """The README's example of an error is one."""
    lines = CSV.splitlines()
    lines[2] = lines[2].replace("1.03", "abc")
    response = diamonds.post("\n".join(lines))

    assert response.text.strip() in (ROOT / "README.md").read_text()
    assert response.text.strip() in (ROOT / "docs" / "responses.md").read_text()


def test_the_migration_pages_lines_are_tests() -> None:
    """Each line of the page for those who come from AWS's image names a test that exists."""
    page = ROOT / "docs" / "migrating-from-aws.md"
    lines = [
        line
        for line in page.read_text().splitlines()
        if line.startswith("|") and not line.startswith(("| sent", "| ---"))
    ]

    assert len(lines) > 15
    for line in lines:
        named = re.search(r"\| \[(test_\w+)\]\((\S+)\) \|$", line)
        assert named, line
        assert f"\ndef {named[1]}(" in (page.parent / named[2]).read_text(), line


def test_the_version_is_in_the_changelog() -> None:
    """The changelog begins with the version that the code says it is."""
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()
