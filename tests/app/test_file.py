"""A file of records: it comes back byte for byte, with predictions added."""

import csv
import html
import io
import re
from pathlib import Path

import numpy as np
import pytest
import xgboost

from tests.support.application import App, application, download_path, visible_text
from tests.support.classifiers import FEATURES, NAMES, SPECIES, classifier, with_classes
from tests.support.diamonds import CSV, PAYLOADS, ROWS, expected
from tests.support.diamonds import NAMES as COLUMNS
from tests.support.server import Server, running

HEADED = (PAYLOADS / "diamonds-header.csv").read_bytes()


def with_predictions(body: bytes, name: bytes = b"") -> list[bytes]:
    """Return the lines of a file less their last cell, and check that cell."""
    lines = body.splitlines(keepends=True)
    if name:
        assert lines[0].rstrip().endswith(name)
    values = [float(line.rstrip().rpartition(b",")[2]) for line in lines[bool(name) :]]
    assert values == pytest.approx(expected(), rel=1e-6)
    return [re.sub(rb",[^,\r\n]*(?=[\r\n]*$)", b"", line) for line in lines]


@pytest.mark.parametrize(
    "body",
    [
        CSV.encode(),
        CSV.rstrip("\n").encode(),
        CSV.replace("\n", "\r\n").encode(),
        CSV.replace("Ideal", '"Ideal"').encode(),
        CSV.encode() + b"\n\n",
    ],
    ids=["plain", "no-last-end", "crlf", "quoted", "blank-last-lines"],
)
def test_a_file_comes_back_with_a_column(app: App, body: bytes) -> None:
    """The bytes of the file are as they were, and each record has XGBoost's prediction at its end."""
    back = app.downloaded(body)
    blank = back[len(back.rstrip(b"\r\n")) :]
    kept = b"".join(with_predictions(back.rstrip(b"\r\n")))

    assert kept + blank == body


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte-order-mark"])
def test_a_file_with_names(app: App, mark: bytes) -> None:
    """A first line of names gets one more, predicted_price; a byte order mark stays."""
    back = app.downloaded(mark + HEADED)

    assert back.startswith(mark)
    assert b"".join(with_predictions(back, b",predicted_price")) == mark + HEADED


def test_another_delimiter(app: App) -> None:
    """Semicolons in, semicolons out."""
    back = app.downloaded(CSV.replace(",", ";").encode(), "semicolon").decode()
    rows = list(csv.reader(io.StringIO(back), delimiter=";"))

    assert [row[:-1] for row in rows] == ROWS
    assert [float(row[-1]) for row in rows] == pytest.approx(expected(), rel=1e-6)


def test_the_page_shows_the_distribution(app: App) -> None:
    """The chart's counts, in its table too, are of all predictions."""
    page = app.upload(HEADED, "some <b>file</b>.csv")
    table = page.text[page.text.index("Predictions in each bin") :]
    counts = [int(count) for count in re.findall(r'class="number">(\d+)</td>', table)]

    assert "Predictions 10 rows" in visible_text(page)
    assert sum(counts) == 10
    assert page.text.count("<rect") == len(counts)
    assert (
        f"from {expected().min():,.0f} to {expected().max():,.0f}, on average {expected().mean():,.0f}"
        in visible_text(page)
    )
    assert "<b>file" not in page.text


def test_a_file_larger_than_a_payload(diamonds: Server) -> None:
    """A file goes to the endpoint in payloads of about a megabyte, and every row has its own prediction."""
    rows = ROWS * 4000
    body = "".join(",".join(row) + "\n" for row in rows).encode()
    with application("--endpoint", diamonds.url) as app:
        page = app.upload(body)
        lines = app.get(download_path(page)).content.splitlines()

    assert len(body) > 1 << 20
    assert [line.rpartition(b",")[0] for line in lines] == body.splitlines()
    assert [float(line.rpartition(b",")[2]) for line in lines] == pytest.approx(
        np.tile(expected(), 4000), rel=1e-6
    )


def test_bad_rows_are_named_and_left_empty(app: App) -> None:
    """A bad row is named by its number, its line and its column, and has no prediction; the others have theirs."""
    lines = HEADED.splitlines()
    lines[3] = lines[3].replace(lines[3].split(b",")[0], b"=1+1", 1)
    lines.insert(5, lines[4].replace(lines[4].split(b",")[1], b'"<script>a\nb"', 1))
    page = app.upload(b"\n".join(lines))
    back = list(csv.reader(io.StringIO(app.get(download_path(page)).text)))

    assert 'Row 3 (line 4 of the file): column "carat": "=1+1" is not a number' in visible_text(
        page
    )
    assert "Row 5 (line 6 of the file)" in visible_text(page)
    assert "2 rows have no prediction" in visible_text(page)
    assert "<script" not in page.text
    assert back[3][0] == "=1+1"
    assert [row[-1] for row in (back[3], back[5])] == ["", ""]
    assert sum(bool(row[-1]) for row in back[1:]) == 9


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the file is empty"),
        (",".join(COLUMNS).encode() + b"\n", "the file has no records"),
        (b'1,"2\n3', "a quote is opened and never closed"),
        (b'"' + b"\n" * 500_000, "a quote is opened and never closed"),
        (
            b"1,2,3\n" * 30,
            "more than 20 rows are refused, the first is row 1 (line 1): expected 9 columns, got 3",
        ),
        (b"1,2,3\n", "no row is good: expected 9 columns, got 3"),
        (b"\xff" * 20, "save it as “CSV UTF-8”"),
        (
            HEADED.replace(b",", b";"),
            "have a semicolon between them, not a comma: choose “semicolon” below",
        ),
        (CSV.replace(",", "|").encode(), "choose “pipe” below"),
        ((PAYLOADS / "diamonds.json").read_bytes(), "this is JSON; a CSV file is expected"),
        ((PAYLOADS / "diamonds.jsonl").read_bytes(), "this is JSON; a CSV file is expected"),
        (
            HEADED.replace(b"carat", b"weight"),
            "other names than the columns: missing: carat; unknown: weight",
        ),
        (HEADED.replace(b",z", b"", 1), "other names than the columns: missing: z"),
        (b"a,b,c,d,e,f,g,h,i\n" + CSV.encode(), "unknown: a, b, c"),
        (b"\n\n", "the file has no records"),
        (b"1" * 200_000, "the first line is no CSV: field larger than field limit"),
    ],
    ids=[
        "empty",
        "names-only",
        "open-quote",
        "open-quote-of-many-lines",
        "wrong-columns",
        "one-bad-row",
        "no-text",
        "semicolons",
        "pipes",
        "json",
        "json-lines",
        "another-name",
        "a-name-less",
        "other-names",
        "blank",
        "one-long-cell",
    ],
)
def test_files_without_predictions(app: App, body: bytes, words: str) -> None:
    """A file that gets no prediction at all is refused beside its field, in words."""
    page = app.upload(body)

    assert page.status_code == 422
    assert words in visible_text(page)
    assert not re.search("Content-Type|text/csv|: :", visible_text(page))
    assert 'aria-describedby="file-hint file-error" aria-invalid="true"' in page.text


def test_advice_is_for_who_uses_the_page(app: App) -> None:
    """A row in the middle with other delimiters, or of JSON, is told without what the endpoint says of requests."""
    lines = CSV.splitlines()
    page = app.upload("\n".join([*lines, lines[0].replace(",", ";"), '{"carat": 1}']).encode())

    assert "Row 11 (line 11 of the file): expected 9 columns, got 1" in visible_text(page)
    assert "Row 12 (line 12 of the file): expected 9 columns, got 1" in visible_text(page)
    assert not re.search(
        "Content-Type|delimiter=", visible_text(page).partition("The last HTTP request")[0]
    )


def test_no_file_was_chosen(app: App) -> None:
    """Sent without a file, the form asks for one."""
    page = app.upload(b"", name="")

    assert page.status_code == 422
    assert "choose a CSV file" in visible_text(page)


def test_oversize_uploads(app: App) -> None:
    """A file beyond the limit is a 413 in a page that says the limit."""
    page = app.upload(b"1" * (3 << 20))

    assert page.status_code == 413
    assert "larger than 1 MiB" in visible_text(page)


def test_downloads_are_files(app: App) -> None:
    """The download is an attachment named after the upload, whatever that is called; an unknown one is a 404 page."""
    reply = app.get(download_path(app.upload(HEADED, '../..\\a"\n<b>.CSV')))

    assert reply.headers["Content-Type"].startswith("text/csv")
    assert reply.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "/" not in reply.headers["Content-Disposition"]
    assert app.get("/file/unknown").status_code == 404


def test_a_classifiers_file(models: Path) -> None:
    """Each row has the likeliest class and all probabilities, none of which a spreadsheet runs; the page counts the classes."""
    folder = models / "app-file"
    booster = classifier(folder, SPECIES, objective="multi:softprob", num_class=3)
    body = "length,width\n" + "".join(f"{length},{width}\n" for length, width in FEATURES[:9])
    with (
        running(folder) as server,
        application("--endpoint", server.url, "--folder", str(folder)) as app,
    ):
        page = app.upload(body.encode())
        header, *rows = csv.reader(io.StringIO(app.get(download_path(page)).text))

    assert header == [
        *NAMES,
        "predicted_species",
        *(f"predicted_species_{label}" for label in SPECIES),
    ]
    wanted = booster.predict(xgboost.DMatrix(FEATURES[:9], feature_names=NAMES))
    assert np.array([row[3:] for row in rows], np.float32) == pytest.approx(wanted, rel=1e-6)
    labels = [SPECIES[place] for place in wanted.argmax(axis=1)]
    assert [row[2] for row in rows] == [label.replace("=", "'=") for label in labels]
    for label in set(labels):
        assert re.search(
            rf'<span>{re.escape(html.escape(label))}</span>.*class="number">{labels.count(label)}</span>',
            page.text,
        )
    assert "The probability of “virginica”" in visible_text(page)
    assert "<b>bold" not in page.text


@pytest.mark.parametrize(
    ("objective", "added"),
    [
        ("binary:logistic", "predicted_species_yes"),
        ("binary:logitraw", "predicted_species_score"),
        ("binary:hinge", "predicted_species_score"),
    ],
)
def test_a_file_of_two_classes(models: Path, objective: str, added: str) -> None:
    """The label is the class that XGBoost finds likelier, whether its value is a probability, a margin or the class itself."""
    folder = models / f"app-file-{objective.partition(':')[2]}"
    booster = classifier(folder, ["no", "yes"], objective=objective)
    body = "".join(f"{length},{width}\n" for length, width in FEATURES[:40])
    with (
        running(folder) as server,
        application("--endpoint", server.url, "--folder", str(folder)) as app,
    ):
        page = app.upload(("length,width\n" + body).encode())
        header, *rows = csv.reader(io.StringIO(app.get(download_path(page)).text))
    raw = booster.predict(xgboost.DMatrix(FEATURES[:40], feature_names=NAMES), output_margin=True)

    assert header == [*NAMES, "predicted_species", added]
    assert [row[2] for row in rows] == ["yes" if margin > 0 else "no" for margin in raw]
    assert ("The probability of “yes”" in visible_text(page)) == (objective == "binary:logistic")


def test_classes_of_another_count_in_a_file(models: Path) -> None:
    """Where the application's schema.json names fewer classes than there are, none is named, and the page says why."""
    folder = models / "app-file-count"
    classifier(folder, SPECIES, objective="multi:softprob", num_class=3)
    misnamed = with_classes(folder, ["no", "yes"])
    with (
        running(folder) as server,
        application("--endpoint", server.url, "--folder", str(misnamed)) as app,
    ):
        page = app.upload(b"length,width\n0.5,1.5\n")
        header = app.get(download_path(page)).text.splitlines()[0]

    assert "The model has 3 classes, but schema.json names 2" in visible_text(page)
    assert header == "length,width,predicted_species_0,predicted_species_1,predicted_species_2"
