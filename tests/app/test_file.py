"""Uploading a CSV file: its bytes come back unchanged, with predictions added."""

import csv
import html
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import xgboost

from tests.support.application import App, application, download_path, visible_text
from tests.support.classifiers import FEATURES, NAMES, SPECIES, classifier, with_classes
from tests.support.diamonds import CSV, PAYLOADS, ROWS, expected
from tests.support.diamonds import NAMES as COLUMNS
from tests.support.scripted_endpoint import error_response, running_endpoint
from tests.support.server import Server, running

WITH_HEADER = (PAYLOADS / "diamonds-header.csv").read_bytes()


def remove_predictions(body: bytes, header: bytes = b"") -> list[bytes]:
    """Check that each line ends with the expected prediction, and return the lines without it.

    ``header`` is how the first line ends if it is a header.
    """
    lines = body.splitlines(keepends=True)
    if header:
        assert lines[0].rstrip().endswith(header)
    values = [float(line.rstrip().rpartition(b",")[2]) for line in lines[bool(header) :]]
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
    ids=["plain", "no-final-newline", "crlf", "quoted", "trailing-blank-lines"],
)
def test_predictions_are_appended(app: App, body: bytes) -> None:
    """Each record ends with XGBoost's prediction; all other bytes of the file are unchanged."""
    download = app.predict_file(body)
    records = download.rstrip(b"\r\n")
    line_endings = download[len(records) :]

    assert b"".join(remove_predictions(records)) + line_endings == body


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte-order-mark"])
def test_header(app: App, mark: bytes) -> None:
    """A header gains the column predicted_price; a byte order mark is preserved."""
    download = app.predict_file(mark + WITH_HEADER)

    assert download.startswith(mark)
    assert b"".join(remove_predictions(download, b",predicted_price")) == mark + WITH_HEADER


def test_delimiter(app: App) -> None:
    """The added column uses the delimiter of the file."""
    download = app.predict_file(CSV.replace(",", ";").encode(), "semicolon").decode()
    rows = list(csv.reader(io.StringIO(download), delimiter=";"))

    assert [row[:-1] for row in rows] == ROWS
    assert [float(row[-1]) for row in rows] == pytest.approx(expected(), rel=1e-6)


def test_histogram(app: App) -> None:
    """The histogram, and the table below it, count every prediction."""
    page = app.upload(WITH_HEADER, "some <b>file</b>.csv")
    table = page.text[page.text.index("Number of predictions in each bin") :]
    counts = [int(count) for count in re.findall(r'class="number">(\d+)</td>', table)]

    assert "Predictions 10 rows" in visible_text(page)
    assert sum(counts) == 10
    assert page.text.count("<rect") == len(counts)
    assert (
        f"10 values of predicted_price, from {expected().min():,.0f} to {expected().max():,.0f} "
        f"US dollars; the mean is {expected().mean():,.0f}" in visible_text(page)
    )
    assert "<b>file" not in page.text


def test_file_larger_than_a_payload(diamonds: Server) -> None:
    """A file sent in several payloads of about 1 MiB has the right prediction in every row."""
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


def test_bad_rows(app: App) -> None:
    """A bad row is reported with row, line and column; only its prediction is left empty."""
    lines = WITH_HEADER.splitlines()
    lines[3] = lines[3].replace(lines[3].split(b",")[0], b"=1+1", 1)
    lines.insert(5, lines[4].replace(lines[4].split(b",")[1], b'"<script>a\nb"', 1))
    page = app.upload(b"\n".join(lines))
    rows = list(csv.reader(io.StringIO(app.get(download_path(page)).text)))

    assert (
        'Row 3 (line 4 of the file): column "carat": expected a number, got "=1+1"'
        in visible_text(page)
    )
    assert "Row 5 (line 6 of the file)" in visible_text(page)
    assert "2 rows have no prediction" in visible_text(page)
    assert page.text.index("Row 3 (line") < page.text.index("Row 5 (line")
    assert "<script" not in page.text
    assert rows[3][0] == "=1+1"
    assert [row[-1] for row in (rows[3], rows[5])] == ["", ""]
    assert sum(bool(row[-1]) for row in rows[1:]) == 9


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the file is empty"),
        (",".join(COLUMNS).encode() + b"\n", "the file has no records"),
        (b'1,"2\n3', "a quote is opened but not closed"),
        (b'"' + b"\n" * 500_000, "a quote is opened but not closed"),
        (
            b"1,2,3\n" * 30,
            "more than 20 rows are invalid; row 1 (line 1): expected 9 columns, got 3",
        ),
        (b"1,2,3\n", "no row is valid; row 1 (line 1): expected 9 columns, got 3"),
        (b"\xff" * 20, "save it as “CSV UTF-8”"),
        (
            WITH_HEADER.replace(b",", b";"),
            "is a semicolon, not a comma; choose “semicolon” and upload the file again",
        ),
        (CSV.replace(",", "|").encode(), "choose “pipe” and upload the file again"),
        (
            (PAYLOADS / "diamonds.json").read_bytes(),
            "expected a CSV file with one record per line, got JSON",
        ),
        (
            (PAYLOADS / "diamonds.jsonl").read_bytes(),
            "expected a CSV file with one record per line, got JSON",
        ),
        (
            WITH_HEADER.replace(b"carat", b"weight"),
            "column names do not match the model’s: missing: carat; unknown: weight",
        ),
        (WITH_HEADER.replace(b",z", b"", 1), "column names do not match the model’s: missing: z"),
        (b"a,b,c,d,e,f,g,h,i\n" + CSV.encode(), "unknown: a, b, c"),
        (b"\n\n", "the file has no records"),
        (b"1" * 200_000, "the first line is invalid CSV: field larger than field limit"),
    ],
    ids=[
        "empty",
        "header-only",
        "open-quote",
        "open-quote-of-many-lines",
        "wrong-columns",
        "one-bad-row",
        "not-utf-8",
        "semicolons",
        "pipes",
        "json",
        "json-lines",
        "renamed-column",
        "missing-column",
        "unknown-columns",
        "blank",
        "long-cell",
    ],
)
def test_rejected_files(app: App, body: bytes, message: str) -> None:
    """A file without a valid row is rejected at its field, with the problem and the fix."""
    page = app.upload(body)

    assert page.status_code == 422
    assert message in visible_text(page)
    assert not re.search("Content-Type|text/csv|: :", visible_text(page))
    assert 'aria-describedby="file-hint file-error" aria-invalid="true"' in page.text


def test_rows_of_the_wrong_shape(app: App) -> None:
    """A row with another delimiter, or in JSON, is reported without the server's advice on headers.

    The page has no field for HTTP headers, so the application describes such rows itself.
    """
    lines = CSV.splitlines()
    many_keys = json.dumps(dict.fromkeys(COLUMNS, 1))
    bad_rows = [lines[0].replace(",", ";"), '{"carat": 1}', many_keys]
    page = app.upload("\n".join([*lines, *bad_rows]).encode())

    assert "Row 11 (line 11 of the file): expected 9 columns, got 1" in visible_text(page)
    assert "Row 12 (line 12 of the file): expected 9 columns, got 1" in visible_text(page)
    assert "Row 13 (line 13 of the file): expected CSV, got JSON" in visible_text(page)
    assert not re.search(
        "Content-Type|delimiter=", visible_text(page).partition("Last HTTP request")[0]
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"1,2,3\n", "row 1 (line 1): expected 9 columns, got 3"),
        (CSV.encode(), "row 1 (line 1): some advice; send other headers"),
    ],
    ids=["wrong-shape", "right-shape"],
)
def test_messages_about_rows(body: bytes, message: str) -> None:
    """The endpoint's message about a row is shown in full, in any wording.

    Only a row with the wrong number of columns gets the application's own message instead.
    """
    response = error_response(400, "row 1: some advice; send other headers")
    with (
        running_endpoint(response) as endpoint,
        application("--endpoint", endpoint.url) as app,
    ):
        page = app.upload(body)

    assert page.status_code == 422
    assert message in visible_text(page)
    assert ("advice" in page.text) == ("advice" in message)


def test_no_file_chosen(app: App) -> None:
    """The form submitted without a file asks for one."""
    page = app.upload(b"", name="")

    assert page.status_code == 422
    assert "choose a CSV file" in visible_text(page)


def test_upload_limit(app: App) -> None:
    """A file larger than the limit is a 413 page that states the limit."""
    page = app.upload(b"1" * (3 << 20))

    assert page.status_code == 413
    assert "larger than 1 MiB" in visible_text(page)


def test_download_headers(app: App) -> None:
    """The download is an attachment with a safe name; an unknown download is a 404."""
    response = app.get(download_path(app.upload(WITH_HEADER, '../..\\a"\n<b>.CSV')))

    assert response.headers["Content-Type"].startswith("text/csv")
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "/" not in response.headers["Content-Disposition"]
    assert app.get("/file/unknown").status_code == 404


def test_classifier(models: Path) -> None:
    """Each row gains the predicted class and all probabilities; the page counts the classes.

    A label that looks like a formula is escaped for spreadsheets.
    """
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
    probabilities = booster.predict(xgboost.DMatrix(FEATURES[:9], feature_names=NAMES))
    assert np.array([row[3:] for row in rows], np.float32) == pytest.approx(probabilities, rel=1e-6)
    labels = [SPECIES[index] for index in probabilities.argmax(axis=1)]
    assert [row[2] for row in rows] == [label.replace("=", "'=") for label in labels]
    for label in set(labels):
        name, count = re.escape(html.escape(label)), labels.count(label)
        assert re.search(rf'<span>{name}</span>.*class="number">{count}</span>', page.text)
    assert "the probability of “virginica”" in visible_text(page)
    assert "<b>bold" not in page.text


@pytest.mark.parametrize(
    ("objective", "added"),
    [
        ("binary:logistic", "predicted_species_yes"),
        ("binary:logitraw", "predicted_species_score"),
        ("binary:hinge", "predicted_species_score"),
    ],
)
def test_binary_classifier(models: Path, objective: str, added: str) -> None:
    """The label is right whether the score is a probability, a margin or the class itself."""
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
    assert ("the probability of “yes”" in visible_text(page)) == (objective == "binary:logistic")


def test_threshold_and_ignored_columns(models: Path) -> None:
    """A file may have the columns that schema.json ignores; the class follows its threshold."""
    folder = models / "app-file-threshold"
    booster = classifier(folder, ["no", "yes"], objective="binary:logistic")
    schema = json.loads((folder / "schema.json").read_text())
    schema |= {"ignore": ["id"], "prediction": schema["prediction"] | {"threshold": 0.9}}
    (folder / "schema.json").write_text(json.dumps(schema))
    lines = [f"{length},r{row},{width}" for row, (length, width) in enumerate(FEATURES[:40])]
    with (
        running(folder) as server,
        application("--endpoint", server.url, "--folder", str(folder)) as app,
    ):
        page = app.upload("\n".join(["length,id,width", *lines, "1,r41"]).encode())
        header, *rows = csv.reader(io.StringIO(app.get(download_path(page)).text))
    expected = booster.predict(xgboost.DMatrix(FEATURES[:40], feature_names=NAMES))

    assert header[:4] == ["length", "id", "width", "predicted_species"]
    assert [row[1] for row in rows[:40]] == [f"r{row}" for row in range(40)]
    assert [row[3] for row in rows[:40]] == ["yes" if p > 0.9 else "no" for p in expected]
    assert any(0.5 < p < 0.9 for p in expected)
    assert "expected 3 columns, got 2" in visible_text(page)


def test_class_count_mismatch(models: Path) -> None:
    """If schema.json lists too few classes, columns are numbered and the page explains why."""
    folder = models / "app-file-count"
    classifier(folder, SPECIES, objective="multi:softprob", num_class=3)
    misnamed = with_classes(folder, ["no", "yes"])
    with (
        running(folder) as server,
        application("--endpoint", server.url, "--folder", str(misnamed)) as app,
    ):
        page = app.upload(b"length,width\n0.5,1.5\n")
        header = app.get(download_path(page)).text.splitlines()[0]

    assert "The model has 3 classes, but schema.json lists 2" in visible_text(page)
    assert header == "length,width,predicted_species_0,predicted_species_1,predicted_species_2"
