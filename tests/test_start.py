"""What the start makes of the environment and of the model folder."""

from pathlib import Path

import pytest

from tests.boosters import numbers, saved, train
from tests.server import free_port, running, start

BOOSTER = train(numbers(100, 2), names=["a", "b"])


def refusal(folder: Path, **env: str) -> str:
    """Return the line with which a server refuses to start."""
    process = start(folder, free_port(), **env)
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "Traceback" not in output
    assert len(output.splitlines()) == 1, output
    return output


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("SAGEMAKER_BIND_TO_PORT", "http", "a whole number from 1 to 65,535"),
        ("SAGEMAKER_BIND_TO_PORT", "65536", "a whole number from 1 to 65,535"),
        ("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/html", '"text/csv", "application/json", "application/jsonlines"'),
        ("SAGEMAKER_MAX_PAYLOAD_IN_MB", "6MB", "a whole number"),
        ("MAX_CONTENT_LENGTH", "0", "a whole number"),
        ("SERVE_UNKNOWN_CATEGORY", "ignore", '"error", "missing"'),
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "-1", "a whole number"),
    ],
)
def test_bad_setting_stops_the_start(models: Path, variable: str, text: str, expected: str) -> None:
    """8.4: a value that means nothing stops the start, in one line that names the variable and what was expected."""
    line = refusal(saved(BOOSTER, models / "settings"), **{variable: text})

    assert f'{variable}="{text}"' in line
    assert expected in line


def test_empty_variables_count_as_none(models: Path) -> None:
    """8.1: an empty variable is one that was not set."""
    with running(saved(BOOSTER, models / "empty"), SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="", MAX_CONTENT_LENGTH=" ") as server:
        assert server.post("1,2").status_code == 200


def test_no_model_stops_the_start(tmp_path: Path) -> None:
    """4.3: a folder without a model is refused, telling what is there; so is one that is not there."""
    (tmp_path / "notes.txt").write_text("no model")

    assert '"notes.txt"' in refusal(tmp_path)
    assert "is no folder" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"not a model", b"\x80\x04pickle"])
def test_what_is_no_model_stops_the_start(tmp_path: Path, content: bytes) -> None:
    """4.3: what XGBoost cannot read is refused in one line, without its C++ stack."""
    (tmp_path / "model.json").write_bytes(content)

    assert "model.json" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("[]", 'expected an object with "features"'),
        ("{", "schema.json"),
        ('{"features": [1, 2]}', "a list of objects"),
        ('{"features": [{"name": "a"}]}', "schema.json describes 1 feature, the model has 2"),
        ('{"features": [{"name": "b"}, {"name": "a"}]}', 'feature 1: its "name" is "b", but the model knows "a"'),
        ('{"features": [{"name": "a", "type": "c"}, {"name": "b"}]}', 'feature 1: its "type" is "c", but the model knows "float"'),
        ('{"features": [{"name": "a", "type": "text"}, {"name": "b"}]}', 'feature 1: "type": expected one of "float"'),
        (
            '{"features": [{"name": "a", "categories": ["x", "x"]}, {"name": "b"}]}',
            '"categories": expected a list of different strings',
        ),
        ('{"features": [{"name": "a", "missing": "no"}, {"name": "b"}]}', '"missing": expected true or false, got "no"'),
    ],
)
def test_schema_that_contradicts_the_model_stops_the_start(tmp_path: Path, schema: str, message: str) -> None:
    """A schema.json that is broken, or says other things than the booster, is refused before it can cost a wrong number."""
    types = train(numbers(100, 2), names=["a", "b"], types=["float", "float"])
    (saved(types, tmp_path) / "schema.json").write_text(schema)

    assert message in refusal(tmp_path)
