"""Environment variables: values that users write, and variables of other programs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.boosters import random_features, save_artifact, train
from tests.support.server import ENTRYPOINT, running, startup_error

BOOSTER = train(random_features(100, 2), names=["a", "b"])
INEFFECTIVE = "recognized variables have no effect here"
IGNORED = {
    # Set by SageMaker or its SDK.
    "SAGEMAKER_REGION": "eu-central-1",
    "SAGEMAKER_PROGRAM": "",
    "SAGEMAKER_SAFE_PORT_RANGE": "9000-9999",
    "SAGEMAKER_BATCH_STRATEGY": "MULTI_RECORD",
    "SAGEMAKER_USE_NGINX": "True",
    "SAGEMAKER_ENABLE_CLOUDWATCH_METRICS": "false",
    "SM_HPS": "{}",
    "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train",
    # Set by Kubernetes for Services named "serve" and "serve-frontend".
    "SERVE_SERVICE_HOST": "10.0.0.1",
    "SERVE_SERVICE_PORT": "8080",
    "SERVE_SERVICE_PORT_HTTP": "8080",
    "SERVE_PORT": "tcp://10.0.0.1:8080",
    "SERVE_PORT_8080_TCP": "tcp://10.0.0.1:8080",
    "SERVE_PORT_8080_TCP_PROTO": "tcp",
    "SERVE_PORT_8080_TCP_PORT": "8080",
    "SERVE_PORT_8080_TCP_ADDR": "10.0.0.1",
    "SERVE_FRONTEND_SERVICE_HOST": "10.0.0.1",
    "SERVE_FRONTEND_PORT": "tcp://[fd00::1]:80",
    "SERVE_FRONTEND_PORT_53_UDP_ADDR": "fd00::1",
}
REPORTED = {
    "SAGEMAKER_NUM_MODEL_WORKERS": "use SAGEMAKER_MODEL_SERVER_WORKERS",
    "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "use SAGEMAKER_MODEL_SERVER_TIMEOUT",
    "SAGEMAKER_MAX_REQUEST_SIZE": "use SAGEMAKER_MAX_PAYLOAD_IN_MB or MAX_CONTENT_LENGTH",
    "SAGEMAKER_BASE_DIR": "use SM_MODEL_DIR",
    "SAGEMAKER_SUBMIT_DIRECTORY": "user code is not run",
    "SAGEMAKER_TS_BATCH_SIZE": "configure another server",
    "SAGEMAKER_TFS_INSTANCE_COUNT": "configure another server",
    "SAGEMAKER_METRICS_DIRECTORY": "the server writes no metrics",
}


@pytest.fixture(scope="module")
def folder(models: Path) -> Path:
    return save_artifact(BOOSTER, models / "variables")


def check(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *options: str, **env: str
) -> "subprocess.CompletedProcess[str]":
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, str(ENTRYPOINT), "check", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def events(folder: Path) -> list[dict[str, Any]]:
    """Return the log of a server with variables of other programs."""
    with running(folder, **IGNORED, **dict.fromkeys(REPORTED, "1")) as server:
        assert server.post("1,2").status_code == 200
    return server.events()


def test_variables_of_other_programs_are_not_misspellings(events: list[dict[str, Any]]) -> None:
    """8.4: variables that AWS's images, its SDK and Kubernetes set do not prevent startup."""
    assert [event["event"] for event in events if event["level"] == "WARNING"] == [INEFFECTIVE]
    assert "did_you_mean" not in json.dumps(events)


@pytest.mark.parametrize("variable", REPORTED)
def test_variable_without_effect_is_reported(events: list[dict[str, Any]], variable: str) -> None:
    """8.3 and 8.4: one warning names the variables that change another image's behavior."""
    [warning] = [event for event in events if event["event"] == INEFFECTIVE]

    assert warning["variables"].keys() == REPORTED.keys()
    assert warning["variables"][variable].startswith(REPORTED[variable])


def test_check_reports_variables_without_effect(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """8.4: `check` reports the same variables, without those that have an effect nowhere."""
    outcome = check(
        monkeypatch, folder, **IGNORED, SAGEMAKER_MAX_REQUEST_SIZE="1", SAGEMAKER_TS_BATCH_SIZE=""
    )

    assert outcome.returncode == 0
    assert "no effect here: SAGEMAKER_MAX_REQUEST_SIZE: use SAGEMAKER_MAX_PAYLOAD" in outcome.stdout
    assert outcome.stdout.count("warning ") == 1


MISPLACED = {
    "SAGEMAKER_ROW_ERRORS": "SERVE_ROW_ERRORS",
    "SAGEMAKER_STREAMING": "SERVE_STREAMING",
    "SAGEMAKER_MAX_CONTENT_LENGTH": "MAX_CONTENT_LENGTH",
    "SAGEMAKER_MODEL_DIR": "SM_MODEL_DIR",
    "SM_FRONTEND": "SERVE_FRONTEND",
    "serve_row_errors": "SERVE_ROW_ERRORS",
    "Serve_Row_Error": "SERVE_ROW_ERRORS",
    "sagemaker_batch": "SAGEMAKER_BATCH",
    "max_content_length": "MAX_CONTENT_LENGTH",
}


def test_check_reports_other_prefixes_and_lower_case(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """8.1: a setting with another prefix or in lower case has no effect, and is reported."""
    others = {"row_errors": "1", "serve": "x", "SM_MODEL": "x", "SAGEMAKER_MANAGED": "x"}
    outcome = check(monkeypatch, folder, "--json", **dict.fromkeys(MISPLACED, "1"), **others)

    assert json.loads(outcome.stdout)["ignored_variables"] == MISPLACED


def test_user_code_prevents_startup(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """8.3: user code, which is not run, prevents startup with what to do, and fails `check`."""
    line = startup_error(folder, SAGEMAKER_PROGRAM="inference.py")
    outcome = check(monkeypatch, folder, SAGEMAKER_PROGRAM="inference.py")

    assert line.startswith('cannot serve: SAGEMAKER_PROGRAM="inference.py": user code is not ')
    assert "unset the variable" in line
    assert "entry_point" in line
    assert outcome.returncode == 1
    assert outcome.stdout == ""
    assert outcome.stderr == line.replace("cannot serve", "cannot check")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("predicted_labels", 'unknown key "predicted_labels": did you mean "predicted_label"?'),
        ("probability, Labels,Probabilites", '"probabilites": did you mean "probabilities"?'),
        (
            "xyz",
            (
                'unknown key "xyz": expected "predicted_label", "labels", "probability", '
                '"probabilities", "raw_score", "raw_scores", "predicted_score", "spread", '
                '"class", "class_probabilities", "score"'
            ),
        ),
        ('["probability"]', 'did you mean "probability"?'),
    ],
)
def test_unknown_output_key_prevents_startup(folder: Path, keys: str, message: str) -> None:
    """8.4: an output key that no objective knows prevents startup, with the closest match."""
    line = startup_error(folder, SAGEMAKER_INFERENCE_OUTPUT=keys)

    assert line.startswith("cannot serve: SAGEMAKER_INFERENCE_OUTPUT=")
    assert line.endswith(f"{message}\n")


WORKERS = "SAGEMAKER_MODEL_SERVER_WORKERS"
BAD_VALUES = {
    "a whole number from 0 to 1,024": (
        WORKERS,
        ["-1", "1.5", "1e3", "٢", "two"],
    ),
    "a whole number from 1 to 1,048,576": (
        "SAGEMAKER_MODEL_SERVER_TIMEOUT",
        ["60s", "+2", "1_0", "None", "9" * 5000],
    ),
    "a whole number from 1 to 65,535": ("SAGEMAKER_BIND_TO_PORT", ["0", "tcp://10.0.0.1:80"]),
    'one of "true", "false"': ("SERVE_ROW_ERRORS", ["y", "enabled", "2", "None", "true,false"]),
    "a number or one of ": ("SAGEMAKER_CONTAINER_LOG_LEVEL", ["all", "١٢", "-1", "1.5", "verbose"]),
    'one of "asgi", "flask"': ("SERVE_FRONTEND", ["lean", "asgi,flask"]),
    "remove the quotes around the value": (
        "SERVE_UNKNOWN_CATEGORY",
        ['"missing"', "'missing'", '""', ' "missing" '],
    ),
}


@pytest.mark.parametrize("index", range(5))
def test_every_bad_value_is_reported(folder: Path, index: int) -> None:
    """8.4: all bad values are reported in one line, each with what its variable expects."""
    values = {
        variable: (texts[index % len(texts)], expected)
        for expected, (variable, texts) in BAD_VALUES.items()
    }
    line = startup_error(folder, **{variable: text for variable, (text, _) in values.items()})

    assert line.count("; ") == len(values) - 1
    for variable, (text, expected) in values.items():
        shown = json.dumps(text.strip(), ensure_ascii=False)[:50]
        assert f"{variable}={shown}" in line
        assert expected in line.partition(variable)[2].partition("; S")[0]


def test_spellings_of_good_values(folder: Path) -> None:
    """8.4: whitespace around a value, its case and the spellings of a boolean do not matter."""
    env = {
        WORKERS: " 1 ",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": "60\n",
        "SAGEMAKER_MODEL_JOB_QUEUE_SIZE": "0010",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "Info\n",
        "SAGEMAKER_BATCH": "True",
        "SERVE_ROW_ERRORS": " YES\r\n",
        "SERVE_STREAMING": "off",
        "SERVE_UNKNOWN_CATEGORY": "MISSING",
        "SERVE_FRONTEND": "Flask",
        "SAGEMAKER_INFERENCE_OUTPUT": " Predicted_Score ,predicted_score\n",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "\t",
    }
    with running(folder, **env) as server:
        response = server.post("1,2\nx\n", Accept="application/jsonlines")
    [started, row_errors, _stopped] = server.events()

    assert response.status_code == 200
    assert response.text.startswith('{"predicted_score": ')
    assert started["batch"] is True
    assert started["frontend"] == "flask"
    assert started["sizing"].startswith("1 worker")
    assert row_errors["bad_records"] == 1
