"""`make convert` rewrites what today's XGBoost refuses, and proves that it predicts the same."""

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


def convert(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "model" / "convert.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize(
    ("name", "arguments"), [("1.7-xgboost-model", []), ("2.1.pkl", ["--trust-pickle"])]
)
def test_convert(tmp_path: Path, name: str, arguments: list[str]) -> None:
    """A binary model, and a trusted pickle, become .ubj and predict as they did where they were written."""
    source = Path(shutil.copy(MODELS / name, tmp_path))
    outcome = convert(source, *arguments)
    written = json.loads((MODELS / f"{name[:3]}.expected.json").read_text())

    assert outcome.returncode == 0, outcome.stderr
    assert "it predicts the same" in outcome.stdout
    assert f"put it as model.ubj into a folder without {name}" in outcome.stdout
    booster = xgboost.Booster(model_file=next(tmp_path.glob("*.ubj")))
    rows = np.array(written["rows"], dtype=np.float32)
    predicted = booster.predict(xgboost.DMatrix(rows), validate_features=False)
    np.testing.assert_allclose(predicted, np.array(written["expected"], np.float32), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("2.1.pkl", "if you trust it, add TRUST=yes"),
        ("2.1.json", "there is nothing to convert"),
        ("nowhere", "no such file"),
    ],
)
def test_what_is_not_converted(tmp_path: Path, name: str, message: str) -> None:
    """A pickle that nobody trusts, and what needs no conversion, is left alone."""
    if (MODELS / name).exists():
        shutil.copy(MODELS / name, tmp_path)
    outcome = convert(tmp_path / name)

    assert outcome.returncode == 1
    assert message in outcome.stderr
    assert list(tmp_path.glob("*.ubj")) == []
