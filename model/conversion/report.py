"""Say in words what was compared, and in which way the server differs from the original."""

import math
from pathlib import Path

import numpy as np

from model.conversion.original import Original
from model.conversion.proof import Proof
from serve.model.files.names import SCHEMA_NAME
from serve.model.model import Model
from serve.model.rounds import choose_rounds
from serve.model.schema_json.keys import MISSING_VALUE
from serve.text import counted


def describe_proof(source: Path, original: Original, proof: Proof) -> str:
    """Return what was compared with which result; then notes, each on a line of its own."""
    rounds = ""
    if not original.estimator and _uses_fewer_rounds(proof.model):
        rounds = f" with its first {counted(proof.model.rounds_used, 'round')}"
    result = (
        f"same predictions as {source}{rounds} for {len(proof.rows):,} rows with "
        f"{_join(_list_values(proof))} (largest difference {proof.largest_difference:g})"
    )
    return "\n".join([result, *_list_notes(original, proof)])


def _list_values(proof: Proof) -> list[str]:
    """Return what the rows contain besides random numbers."""
    rows, features = proof.rows, proof.model.schema.features
    markers = np.array([feature.missing_value for feature in features], np.float32)
    found = sorted({float(value) for value in markers[np.any(rows == markers, axis=0)]})
    values = ["category codes"] if any(feature.type == "c" for feature in features) else []
    if any(feature.type != "c" for feature in features):
        values.append("random numbers")
        if proof.model.booster_type != "gblinear":
            values.append("the thresholds of splits")
    values += [f"the missing value {marker:g}" for marker in found]
    if np.isnan(rows).any():
        values.append("NaN")
    return values


def _join(values: list[str]) -> str:
    *first, last = values
    return f"{', '.join(first)} and {last}" if first else last


def _list_notes(original: Original, proof: Proof) -> list[str]:
    model = proof.model
    notes = []
    if _uses_fewer_rounds(model):
        notes.append(
            f"The best iteration is {model.rounds_used - 1:,}: the server predicts with the first "
            f"{model.rounds_used:,} of {counted(model.booster.num_boosted_rounds(), 'round')}"
            f"{_explain_rounds(original)}"
        )
    elif warning := choose_rounds(model.booster, model.booster_type, None).warning:
        notes.append(warning[0].upper() + warning[1:])
    declared = {feature.missing_value for feature in model.schema.features}
    unknown = sorted(value for value in declared - {original.missing} if math.isfinite(value))
    if original.estimator and unknown:
        notes.append(
            f"{SCHEMA_NAME} declares the missing value {unknown[0]:g}, which the estimator does "
            "not know: it predicted with NaN instead"
        )
    if not original.estimator and not unknown:
        notes.append(
            "A Booster does not contain the missing value of training: if it was "
            f'DMatrix(..., missing=-999), declare it with "{MISSING_VALUE}" in {SCHEMA_NAME}'
        )
    if math.isinf(original.missing):
        notes.append("The estimator treats infinity as missing; the server rejects infinity")
    return notes


def _uses_fewer_rounds(model: Model) -> bool:
    if model.booster_type == "gblinear":
        return False
    return model.rounds_used < model.booster.num_boosted_rounds()


def _explain_rounds(original: Original) -> str:
    """Return how the original chooses its rounds, and the setting if it may use all."""
    use_all = "set SERVE_EARLY_STOPPING=false to use all"
    if not original.estimator:
        return f"; Booster.predict uses all by default: {use_all}"
    if original.may_be_older_than_0_80:
        return f", as the estimator does since XGBoost 0.80; for an older one, {use_all}"
    return ", as the estimator does"
