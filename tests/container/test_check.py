"""The `check` command: a report on an artifact, without serving it."""

import json
import re
import shlex
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support import check as in_process
from tests.support.boosters import random_features, save_artifact, train
from tests.support.check import run_check
from tests.support.diamonds import ARTIFACT, PAYLOADS
from tests.support.server import ROOT, Server, running


def test_check_reports_model_features_and_sizing() -> None:
    """The report has the format, writer, objective, features, self-test, workers and memory."""
    text, report = run_check(ARTIFACT), json.loads(run_check(ARTIFACT, "--json").stdout)

    assert text.returncode == 0
    assert report["format"] == "UBJSON"
    assert report["written_by_xgboost"] == "3.2.0"
    assert report["objective"] == "reg:squarederror"
    assert report["self_test_records"] == 517
    assert report["workers"] >= 1
    assert report["memory_forecast_mib"] > 100
    assert report["feature_list"][1]["categories"] == [
        "Fair",
        "Good",
        "Very Good",
        "Premium",
        "Ideal",
    ]
    for excerpt in (
        "UBJSON",
        "3.2.0",
        "reg:squarederror",
        'cut: category, required: "Fair"',
        "x: number, may be missing",
    ):
        assert excerpt in text.stdout


def test_check_predicts_sample_as_the_server_does(diamonds: Server) -> None:
    """The sample response is the server's own, and the printed curl command receives the same."""
    for name, media_type in (
        ("diamonds-header.csv", "text/csv"),
        ("diamonds.json", "application/json"),
    ):
        report = json.loads(run_check(ARTIFACT, PAYLOADS / name, "--json").stdout)

        assert (
            report["sample_response"]
            == diamonds.post((PAYLOADS / name).read_bytes(), media_type).text
        )
        command = report["sample_request"].replace("http://127.0.0.1:8080", diamonds.url)
        curl = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert curl.stdout == report["sample_response"]


def test_check_fails_if_startup_would(tmp_path: Path) -> None:
    """A bad artifact or sample payload is reported in one line, with exit code 1."""
    (tmp_path / "bad.csv").write_text("1,2\n")
    for arguments, message in (
        ((tmp_path,), "contains no model"),
        ((ARTIFACT, tmp_path / "bad.csv"), "row 1: expected 9 columns, got 2"),
        (
            (ARTIFACT, tmp_path / "none.csv"),
            "none.csv: cannot read the sample payload: No such file or directory",
        ),
        (
            (ARTIFACT, ROOT / "README.md"),
            "expected a sample payload named *.csv, *.json or *.jsonl",
        ),
    ):
        outcome = run_check(*arguments)

        assert outcome.returncode == 1
        assert message in outcome.stderr
        assert len(outcome.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("model.ubj", "got a file: use its directory, {folder}"),
        ("a b.tar.gz", "got an archive: extract it with mkdir -p '{folder}/a b' && tar -xf "),
        ("model.tgz", "and use {folder}/model"),
        ("bundle", "and use {folder}/bundle-extracted"),
    ],
)
def test_check_of_a_file(tmp_path: Path, name: str, advice: str) -> None:
    """A file in place of the directory is an error with what to do, which is then accepted."""
    save_artifact(train(random_features(60, 2)), tmp_path)
    if name != "model.ubj":
        with tarfile.open(tmp_path / name, "w:gz") as archive:
            archive.add(tmp_path / "model.ubj", "model.ubj")
    error = in_process.check(tmp_path / name).error
    *_, command, folder = re.split(" extract it with |, and use |: use its directory, ", error)
    if name != "model.ubj":
        subprocess.run(["sh", "-c", command], check=True, timeout=10)

    assert error.startswith(f"cannot check: {tmp_path / name}: expected the directory of the art")
    assert advice.format(folder=tmp_path) in error
    assert in_process.check(*shlex.split(folder)).error == ""


def test_check_quotes_unusual_names(tmp_path: Path) -> None:
    """Names with blanks at their ends, or with unusual characters, are in quotes."""
    names = [" age", "income ", "a: b", "a,b", "x\u200b", "\u00a0y", 'a"b', "(unnamed)", "a  b"]
    plain = ["Flow Duration", "größe", "x", "a.b-c_d/e%", "size (mm)"]
    save_artifact(train(random_features(60, 14), names=[*names, *plain]), tmp_path)
    output = in_process.check(tmp_path).output

    for number, name in enumerate(names[:4], 1):
        assert f'  {number:>3}  "{name}": number' in output
    assert '"x\\u200b": number' in output
    assert '"\\xa0y": number' in output
    assert '"a\\"b": number' in output
    assert '"(unnamed)": number' in output
    assert '"a  b": number' in output
    for name in plain:
        assert f"  {name}: number" in output


def test_check_rejects_unknown_serve_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown SERVE_ variable fails the check as it would prevent startup."""
    monkeypatch.setenv("SERVE_DOOR", "flask")
    outcome = run_check(ARTIFACT)

    assert outcome.returncode == 1
    assert outcome.stdout == ""
    assert (
        outcome.stderr
        == "cannot check: unknown variable SERVE_DOOR: did you mean SERVE_FRONTEND?\n"
    )


def test_check_reports_similar_sagemaker_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ignored SAGEMAKER_ variable is reported with the setting that it resembles."""
    monkeypatch.setenv("SAGEMAKER_MAX_PAYLOAD_IN_MIB", "6")
    text, report = run_check(ARTIFACT).stdout, json.loads(run_check(ARTIFACT, "--json").stdout)

    assert report["ignored_variables"] == {
        "SAGEMAKER_MAX_PAYLOAD_IN_MIB": "SAGEMAKER_MAX_PAYLOAD_IN_MB"
    }
    assert "SAGEMAKER_MAX_PAYLOAD_IN_MIB: did you mean SAGEMAKER_MAX_PAYLOAD_IN_MB?" in text


def test_check_reports_every_warning_of_startup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each warning that the server logs at startup is in the report, and nowhere else."""
    save_artifact(train(random_features(60, 2), names=["a", "b"]), tmp_path)
    for name in ("b.ubj", "c.ubj"):
        (tmp_path / name).write_bytes((tmp_path / "model.ubj").read_bytes())
    settings = {
        "SAGEMAKER_MAX_PAYLOAD_IN_MIB": "6",
        "SAGEMAKER_INFERENCE_OUTPUT": "labels,spread,predicted_score",
    }
    with running(tmp_path, **settings) as server:
        pass
    logged = [event["event"] for event in server.events() if event["level"] == "WARNING"]
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    text, report = run_check(tmp_path), json.loads(run_check(tmp_path, "--json").stdout)
    warnings = report["warnings"]

    assert len(logged) >= 3
    assert [warning.partition(":")[0] for warning in warnings] == logged
    assert "inference output always null: " in text.stdout
    assert "keys: labels, spread" in text.stdout
    assert all(warning in text.stdout for warning in warnings)
    assert text.stderr == ""


def test_check_lists_ignored_files(tmp_path: Path) -> None:
    """Ignored files are listed with the reason; a long list of features is truncated."""
    save_artifact(train(random_features(60, 100)), tmp_path)
    (tmp_path / "notes.txt").write_text("no model")
    text = run_check(tmp_path).stdout

    assert "notes.txt: not a model" in text
    assert "and 50 more features" in text
