"""Predictions beside the input's own columns, outputs by name, and progress."""

import csv
import gzip
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.batch_jobs import (
    RecordingContainer,
    read_output,
    run_batch,
    run_container,
    write_input,
)
from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.classifiers import FEATURES, NAMES, SPECIES, classifier
from tests.support.diamonds import CSV, expected
from tests.support.server import ROOT, Server, running

CODES = 3
PROBABILITY_COLUMNS = [f"class_probabilities_{name}" for name in SPECIES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact with a classifier of three named classes."""
    return tmp_path_factory.mktemp("species")


@pytest.fixture(scope="module")
def probabilities(folder: Path) -> np.ndarray:
    """XGBoost's predictions for FEATURES."""
    booster = classifier(folder, SPECIES, objective="multi:softprob", num_class=CODES)
    return predict_with_xgboost(booster, FEATURES)


@pytest.fixture(scope="module")
def species(folder: Path, probabilities: np.ndarray) -> Iterator[Server]:
    """A server of the classifier that reports bad rows in their place."""
    with running(folder, SERVE_ROW_ERRORS="true") as server:
        yield server


def read_rows(source: Path) -> list[list[str]]:
    return list(csv.reader(read_output(source)))


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_csv_with_a_header(
    species: Server, probabilities: np.ndarray, tmp_path: Path, line_end: str
) -> None:
    """Each row keeps its bytes and gets a named column for each output, in several payloads."""
    frame = pd.DataFrame(FEATURES[:, ::-1], columns=NAMES[::-1])
    text = pd.concat([frame] * 400).to_csv(index=False, lineterminator=line_end)
    source = write_input(tmp_path, text)
    options = ("--join", "--outputs", "class+class_probabilities", "--max-payload-in-mb", "1")
    outcome = run_batch(source, "--endpoint", species.url, *options)

    assert outcome.returncode == 0, outcome.stderr
    output = source.with_name("rows.csv.out").read_bytes().decode()
    first = output.split(line_end, 1)[0]
    assert first == ",".join([*NAMES[::-1], "class", *PROBABILITY_COLUMNS])
    lines = output.split(line_end)
    assert [line.rsplit(",", 4)[0] for line in lines] == text.split(line_end)
    joined = pd.read_csv(source.with_name("rows.csv.out"))
    np.testing.assert_array_equal(
        joined[PROBABILITY_COLUMNS].to_numpy(np.float32), np.tile(probabilities, (400, 1))
    )
    names = [SPECIES[code] for code in probabilities.argmax(axis=1)]
    assert list(joined["class"]) == names * 400
    assert int(re.findall(r"in (\d+) mini-batches", outcome.stdout)[0]) > 1


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_csv_without_a_header(
    species: Server, probabilities: np.ndarray, tmp_path: Path, suffix: str
) -> None:
    """Without a header, cells are added without names; the score is the default output."""
    content = pd.DataFrame(FEATURES).to_csv(index=False, header=False).encode()
    source = write_input(
        tmp_path, gzip.compress(content) if suffix else content, f"rows.csv{suffix}"
    )
    outcome = run_batch(source, "--endpoint", species.url, "--join")
    cells = np.array(read_rows(source), np.float32)

    assert outcome.returncode == 0, outcome.stderr
    np.testing.assert_array_equal(cells, np.hstack([FEATURES, probabilities]))


def test_json_lines(species: Server, probabilities: np.ndarray, tmp_path: Path) -> None:
    """JSON Lines get the outputs as with SageMaker's JoinSource=Input."""
    objects: list[dict[str, object]] = [
        {"features": [float(cell) for cell in FEATURES[0]]},
        dict(zip(NAMES, map(float, FEATURES[1]), strict=True)),
    ]
    rows = [float(cell) for cell in FEATURES[2]]
    lines = [*map(json.dumps, objects), json.dumps(rows)]
    source = write_input(tmp_path, "\n".join(lines), "rows.jsonl")
    outcome = run_batch(source, "--endpoint", species.url, "--join", "--outputs", "predicted_label")
    joined = list(map(json.loads, read_output(source)))
    labels = probabilities.argmax(axis=1)

    assert outcome.returncode == 0, outcome.stderr
    for row in range(2):
        assert joined[row] == {
            **objects[row],
            "SageMakerOutput": {"predicted_label": int(labels[row])},
        }
    assert joined[2] == {
        "SageMakerInput": rows,
        "SageMakerOutput": {"predicted_label": int(labels[2])},
    }


def test_bad_rows(species: Server, tmp_path: Path) -> None:
    """A bad row that the server reports in its place has ERROR in its first added cell."""
    source = write_input(tmp_path, "length,width\nx,1\n0.5,1.5\n")
    outcome = run_batch(source, "--endpoint", species.url, "--join", "--outputs", "class+labels")

    assert outcome.returncode == 0, outcome.stderr
    header, bad, good = read_rows(source)
    assert header == ["length", "width", "class", "labels_0", "labels_1", "labels_2"]
    assert bad == ["x", "1", "ERROR", "", "", ""]
    assert good[2] in SPECIES
    assert good[3:] == ["0", "1", "2"]


def test_ignored_columns_remain(species: Server, probabilities: np.ndarray, tmp_path: Path) -> None:
    """Columns that the server ignores remain in the output, so it can be joined by an ID."""
    frame = pd.DataFrame(FEATURES, columns=NAMES).assign(id=range(len(FEATURES)))
    source = write_input(tmp_path, frame[["id", *NAMES]].to_csv(index=False))
    options = ("--endpoint", species.url, "--join", "--outputs", "predicted_label")
    rejected = run_batch(source, *options)
    ignoring = ("--content-type", "text/csv; header=present; ignore=id")
    accepted = run_batch(source, *options, *ignoring)
    joined = pd.read_csv(source.with_name("rows.csv.out"))

    assert "ignore=id' (--content-type)" in rejected.stderr
    assert accepted.returncode == 0, accepted.stderr
    assert list(joined["id"]) == list(range(len(FEATURES)))
    assert list(joined["predicted_label"]) == list(probabilities.argmax(axis=1))


def test_names_that_exist(tmp_path: Path) -> None:
    """An output with the name of an input column gets a prefix."""
    booster = train(random_features(60, 2), names=["score", "a"])
    source = write_input(tmp_path, "score,a\n0.5,1.5\n")
    artifact = save_artifact(booster, tmp_path / "model")
    run_batch(source, "--folder", str(artifact), "--join")

    assert read_rows(source)[0] == ["score", "a", "predicted_score"]


def test_outputs_without_join(species: Server, probabilities: np.ndarray, tmp_path: Path) -> None:
    """OUTPUTS selects the outputs, with or without ACCEPT; an unknown key ends the job."""
    source = write_input(tmp_path, pd.DataFrame(FEATURES).to_csv(index=False, header=False))
    options = ("--endpoint", species.url, "--outputs", "class, probability")
    default = run_batch(source, *options)
    rows = read_rows(source)
    flat = run_batch(source, *options, "--accept", "application/jsonlines")
    objects = list(map(json.loads, read_output(source)))
    unknown = run_batch(source, "--endpoint", species.url, "--outputs", "klass")

    assert (default.returncode, flat.returncode, unknown.returncode) == (0, 0, 1)
    names = [SPECIES[code] for code in probabilities.argmax(axis=1)]
    assert [row[0] for row in rows] == names
    assert [record["class"] for record in objects] == names
    assert 'unknown key \\"klass\\"' in unknown.stderr


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("rows.libsvm", [], "expected text/csv or application/jsonlines, got text/libsvm"),
        ("rows.csv", ["--accept", "text/csv"], "remove ACCEPT=text/csv"),
    ],
)
def test_jobs_that_cannot_be_joined(
    tmp_path: Path, name: str, options: list[str], message: str
) -> None:
    """JOIN=yes with another media type is an error before a container starts."""
    source = write_input(tmp_path, "1,2\n", name)
    outcome = run_batch(source, "--join", *options)

    assert outcome.returncode == 1
    assert message in outcome.stderr
    assert list(tmp_path.iterdir()) == [source]


def test_another_container(tmp_path: Path) -> None:
    """A container that does not respond in JSON Lines ends a joined job with the reason."""
    source = write_input(tmp_path, "1,2\n")
    with run_container(RecordingContainer()) as container:
        outcome = run_batch(source, "--endpoint", container.url, "--join")

    assert outcome.returncode == 1
    assert "JSON Lines" in outcome.stderr or "application/jsonlines" in outcome.stderr


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_progress_on_a_terminal(diamonds: Server, tmp_path: Path, suffix: str) -> None:
    """A terminal shows the rows so far, of how many, the rate and the time left."""
    content = (CSV * 60).encode()
    source = write_input(
        tmp_path, gzip.compress(content) if suffix else content, f"rows.csv{suffix}"
    )
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "local_test.batch", str(source), "--endpoint", diamonds.url]
    process = subprocess.Popen([*command, "--strategy", "SingleRecord"], cwd=ROOT, stderr=terminal)
    os.close(terminal)
    shown = b""
    while piece := read_terminal(main):
        shown += piece
    os.close(main)

    assert process.wait(30) == 0
    assert len(read_output(source)) == len(expected()) * 60
    pattern = r"\[[#-]{24}\] \d+ of about ([\d,]+) rows, (\d+)%, [\d,]+ rows/s, \d+ s left"
    estimates = re.findall(pattern, shown.decode())
    assert estimates
    assert int(estimates[-1][1]) > int(estimates[0][1])
    if not suffix:
        total = int(estimates[-1][0].replace(",", ""))
        assert total == pytest.approx(len(expected()) * 60, rel=0.1)


def read_terminal(descriptor: int) -> bytes:
    """Return what a program has written to a terminal; nothing once it has ended."""
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux reports the end of a terminal as an error
        return b""
