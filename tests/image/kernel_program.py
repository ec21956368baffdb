"""Runs in the image: compares the kernel's predictions with those of the image's own XGBoost.

Usage: kernel_program.py FOLDER, with NAME/model.ubj and NAME/rows.npy for each model.
"""

import sys
from pathlib import Path

import numpy as np
import xgboost

sys.path.insert(0, "/opt/xgb-endpoint")

from serve.model.kernel.extension import VARIANTS, load_extension
from serve.model.model import load_model
from serve.settings import Settings


def main() -> None:
    """Print a line for each model and variant: the predictor, the values, and how many differ."""
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        rows = np.load(folder / "rows.npy")
        booster = xgboost.Booster({"nthread": 1}, model_file=folder / "model.ubj")
        expected = booster.inplace_predict(rows, validate_features=False)
        for variant in VARIANTS:
            if load_extension().supports(variant):
                model = load_model(Settings(model_folder=folder, kernel=variant))
                differ = model.predict(rows).view(np.uint32) != expected.view(np.uint32)
                print(f"{model.predictor_name}: {differ.size} values, {differ.sum()} differ")


if __name__ == "__main__":
    main()
