"""The application on models of ten kinds, with the schema.json that `make schema` wrote."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model.schema.__main__ import main
from tests.support.application import application, visible_text
from tests.support.boosters import predict_with_xgboost
from tests.support.described_models import MODELS, Described, describe

# Every other kind is described and checked by tests/model/test_schema.py in any case.
SHORT = ("categorical", "multi_class")
KINDS = [kind if kind in SHORT else pytest.param(kind, marks=pytest.mark.long) for kind in MODELS]


def fill_in(described: Described, row: int) -> dict[str, str]:
    """Return what a browser submits for a row of the training data."""
    return {
        f"f{index}": _control_value(column, column.iloc[row])
        for index, (_, column) in enumerate(described.frame.items())
    }


def _control_value(column: pd.Series, value: Any) -> str:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return str(column.cat.categories.get_loc(value))
    if column.dtype == bool:
        return str(int(value))
    return "" if pd.isna(value) else str(value)


def expect_headline(described: Described, row: int) -> str:
    """Return the start of the prediction on the page, from XGBoost's own prediction."""
    frame = described.frame if described.names else described.frame.to_numpy()
    score = predict_with_xgboost(described.booster, frame)[row]
    if not described.classes:
        return f"Target {score:,.0f}" if abs(score) >= 100 else f"Target {score:.4g}"
    code = int(np.argmax(score)) if np.ndim(score) else int(score > 0.5)
    return f"Target {described.classes[code]}"


@pytest.mark.parametrize("kind", KINDS)
def test_described_model(kind: str, tmp_path: Path) -> None:
    """The form has every column, and the page shows the prediction of XGBoost itself."""
    described = describe(kind, tmp_path)
    folder, sample = described.save(tmp_path)
    main([str(folder), str(sample), "--target", "target"])
    with application("--folder", str(folder)) as app:
        form, page = visible_text(app.get("/")), visible_text(app.post(fill_in(described, 7)))

    for name in described.frame:
        assert name.strip().lower() in form.lower()
    assert expect_headline(described, 7) in page
