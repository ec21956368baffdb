"""The documentation matches the code."""

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


@pytest.mark.parametrize("path", tables.list_documents(), ids=relative_name)
def test_generated_tables_are_current(path: Path) -> None:
    """Generated tables in the documentation match the code; `make docs` updates them."""
    assert tables.fill_tables(path.read_text()) == path.read_text()


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
def test_make_targets_exist(path: Path) -> None:
    """Every make target that a document names exists, and `make` lists it."""
    output = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    targets = set(re.findall(r"^make ([a-z-]+) ", output, flags=re.MULTILINE))

    for match in re.findall(
        r"^(?:[A-Z_]+=\S+ )?make ([a-z ]+)$|`(?:[A-Z_]+=\S+ )?make ([a-z ]+)`",
        path.read_text(),
        flags=re.MULTILINE,
    ):
        assert set("".join(match).split()) <= targets


def test_readme_commands(diamonds: Server) -> None:
    """The README's curl commands print what the README shows, with the sample model."""
    commands = [
        line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("curl ")
    ]

    assert len(commands) == 2
    for command in commands:
        arguments = shlex.split(command.replace("http://127.0.0.1:8080", diamonds.url))
        output = subprocess.run(
            [*arguments, "--silent", "--fail-with-body"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert ("2008.307" in output) == ("invocations" in command)


@pytest.mark.parametrize("media_type", ["text/csv", "text/libsvm"])
def test_example_rows(diamonds: Server, media_type: str) -> None:
    """Example rows in docs/requests.md are valid records of the sample model."""
    row = re.search(
        rf"^\| `([^`]+)`, one line per record.* \| `{media_type}` \|$",
        (ROOT / "docs" / "requests.md").read_text(),
        re.MULTILINE,
    )
    assert row
    cells = row[1].split(",")
    if media_type == "text/libsvm":
        numbers = dict(pair.split(":") for pair in row[1].split()[1:])
        cells = [numbers.get(str(index), "") for index in range(len(FEATURES))]
        cells = [
            feature["categories"][int(cell)] if "categories" in feature else cell
            for feature, cell in zip(FEATURES, cells, strict=True)
        ]

    assert float(diamonds.post(row[1], media_type).text) == pytest.approx(
        float(expected([cells])[0]), rel=1e-6
    )


EXAMPLE_ID = "5bb2d4a6d0ab4c0f9bb1b14f5d3f1c9e"


def test_example_error(diamonds: Server) -> None:
    """The README shows the exact error response for an invalid number."""
    lines = CSV.splitlines()
    lines[2] = lines[2].replace("1.03", "abc")
    response = diamonds.post("\n".join(lines), X_Request_Id=EXAMPLE_ID)

    assert response.text.strip() in (ROOT / "README.md").read_text()
    assert response.text.strip() in (ROOT / "docs" / "responses.md").read_text()


def test_migration_table() -> None:
    """Every row of the page on migrating from the AWS image links to an existing test."""
    page = ROOT / "docs" / "migrating-from-aws.md"
    lines = [
        line
        for line in page.read_text().splitlines()
        if line.startswith("|") and not line.startswith(("| sent", "| ---"))
    ]

    assert len(lines) > 15
    for line in lines:
        link = re.search(r"\| \[(test_\w+)\]\((\S+)\) \|$", line)
        assert link, line
        assert f"\ndef {link[1]}(" in (page.parent / link[2]).read_text(), line


def test_changelog_version() -> None:
    """The changelog has an entry for the current version."""
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()
