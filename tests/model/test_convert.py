"""`make convert` converts models that the current XGBoost cannot load."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xgboost

from tests.support.server import ROOT

MODELS = ROOT / "tests" / "support" / "old_models"


def run_convert(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "model" / "convert.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize(
    ("name", "arguments"), [("1.7-xgboost-model", []), ("2.1.pkl", ["--trust-pickle"])]
)
def test_converted_models_make_the_same_predictions(
    tmp_path: Path, name: str, arguments: list[str]
) -> None:
    """A converted binary model or trusted pickle predicts as in the XGBoost that wrote it."""
    source = Path(shutil.copy(MODELS / name, tmp_path))
    process = run_convert(source, *arguments)
    sample = json.loads((MODELS / f"{name[:3]}.expected.json").read_text())

    assert process.returncode == 0, process.stderr
    assert "same predictions as" in process.stdout
    assert f"save it as model.ubj in a directory without {name}" in process.stdout
    booster = xgboost.Booster(model_file=next(tmp_path.glob("*.ubj")))
    rows = np.array(sample["rows"], dtype=np.float32)
    predictions = booster.predict(xgboost.DMatrix(rows), validate_features=False)
    np.testing.assert_allclose(predictions, np.array(sample["expected"], np.float32), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("2.1.pkl", "if you trust the file, add TRUST=yes"),
        ("2.1.json", "nothing to convert"),
        ("missing", "file not found"),
    ],
)
def test_files_that_are_not_converted(tmp_path: Path, name: str, message: str) -> None:
    """An untrusted pickle, a model in a current format and a missing file are rejected."""
    if (MODELS / name).exists():
        shutil.copy(MODELS / name, tmp_path)
    process = run_convert(tmp_path / name)

    assert process.returncode == 1
    assert message in process.stderr
    assert list(tmp_path.glob("*.ubj")) == []
