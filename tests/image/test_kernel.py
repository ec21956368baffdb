"""The kernel in the image."""

from pathlib import Path

import numpy as np

from tests.image import kernel_program
from tests.support.boosters import save_artifact
from tests.support.diamonds import ARTIFACT
from tests.support.docker import IMAGE, docker
from tests.support.kernel import make_hostile_rows, train_generated

MODELS = 40
ROWS = 500


def test_the_image_uses_the_kernel() -> None:
    """The kernel of the image predicts with the sample model."""
    mount = f"{ARTIFACT}:/opt/ml/model:ro"
    outcome = docker("run", "--rm", "--volume", mount, IMAGE, "check")

    assert "predictor               kernel (" in outcome.stdout


def test_predictions_equal_xgboost_in_the_image(tmp_path: Path) -> None:
    """Predictions for hostile rows equal those of the image's XGBoost bit for bit."""
    for seed in range(MODELS):
        booster = train_generated(seed)
        folder = save_artifact(booster, tmp_path / f"{seed:02}")
        np.save(folder / "rows.npy", make_hostile_rows(booster, ROWS, seed))
    program = Path(kernel_program.__file__)
    outcome = docker(
        "run",
        "--rm",
        "--volume",
        f"{tmp_path}:/models:ro",
        "--volume",
        f"{program}:/program.py:ro",
        "--entrypoint",
        "python3",
        IMAGE,
        "/program.py",
        "/models",
    )
    lines = outcome.stdout.splitlines()

    assert len(lines) >= MODELS
    assert [line for line in lines if not line.startswith("kernel (")] == []
    assert [line for line in lines if not line.endswith(" values, 0 differ")] == []
