"""Saves a booster in MLflow's model format, unless the folder already contains it.

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
