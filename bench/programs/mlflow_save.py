"""Packs a booster as a model of MLflow's, if it is not there yet.

Usage: mlflow_save.py MODEL FOLDER
"""

import sys
from pathlib import Path

import mlflow.xgboost
import xgboost

if __name__ == "__main__":
    model, folder = sys.argv[1:]
    if not (Path(folder) / "MLmodel").exists():
        mlflow.xgboost.save_model(
            xgboost.Booster(model_file=model),
            folder,
            model_format="ubj",
            pip_requirements=["xgboost"],
        )
