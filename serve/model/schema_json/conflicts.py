"""Reject a schema.json whose features contradict what the booster knows about them.

Each function raises SchemaConflict with what the booster knows.
"""

import math
from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from serve.diagnosis.similar import find_similar
from serve.model.booster_features import BoosterFeature
from serve.model.estimator import Estimator
from serve.model.schema_json.file import FeatureInfo, SchemaConflict
from serve.model.schema_json.keys import MISSING_VALUE
from serve.model.schema_json.label_traces import FIRST_VERSION_WITH_WHOLE_LABELS, LabelTraces
from serve.text import counted, listed, quoted, with_hint

NUMERIC_TYPES = {"float", "int", "q"}
IN_ORDER = "list the features in the order of training"
NOT_CATEGORICAL = "because the trees split the feature by thresholds, not by categories"


def check_names(in_file: Sequence[str | None], in_booster: Sequence[str | None]) -> None:
    """Reject features whose number, names or order differ from the booster's."""
    if len(in_file) != len(in_booster):
        raise SchemaConflict(
            f"describes {counted(len(in_file), 'feature')}, but the model has "
            f"{len(in_booster):,}{_list_differences(in_file, in_booster)}: "
            "describe all of them, in training order"
        )
    is_reordered = sorted(map(str, in_file)) == sorted(map(str, in_booster))
    for number, (got, expected) in enumerate(zip(in_file, in_booster, strict=True), 1):
        if got is not None and expected is not None and got != expected:
            hint = IN_ORDER if is_reordered else _find_spelling_hint(got, in_booster)
            message = f'"name": expected {quoted(expected)} as in the model, got {quoted(got)}'
            _reject(number, with_hint(message, hint))


def _list_differences(in_file: Sequence[str | None], in_booster: Sequence[str | None]) -> str:
    """Return the names that only the model or only schema.json has, in parentheses, or ""."""
    if None in in_file or None in in_booster:
        return ""
    missing = [name for name in in_booster if name not in set(in_file)]
    unknown = [name for name in in_file if name not in set(in_booster)]
    parts = [f"missing {listed(missing)}"] if missing else []
    parts += [f"unknown {listed(unknown)}"] if unknown else []
    return f" ({', '.join(parts)})" if parts else ""


def _find_spelling_hint(got: str, in_booster: Sequence[str | None]) -> str:
    """Return the booster's name that a name resembles, as a question, or ""."""
    similar = find_similar(got, tuple(name for name in in_booster if name is not None))
    return "" if similar in (None, got) else f"did you mean {quoted(similar)}?"


def check_feature(
    number: int,
    in_file: FeatureInfo,
    in_booster: BoosterFeature,
    merged: FeatureInfo,
    estimator: Estimator,
) -> None:
    """Reject a feature of schema.json that contradicts the booster or itself.

    ``merged`` is the feature with its properties from both.
    """
    _check_type(number, in_file, in_booster, merged)
    _check_labels(number, in_file, in_booster, merged)
    _check_codes(number, in_file, in_booster, merged)
    _check_missing_value(number, in_file, merged, estimator)


def _check_type(
    number: int, in_file: FeatureInfo, in_booster: BoosterFeature, merged: FeatureInfo
) -> None:
    """Numeric types count as equal."""
    expected, got = in_booster.type, in_file.type
    if expected and got and expected != got and not {expected, got} <= NUMERIC_TYPES:
        _reject(number, f'"type": expected {quoted(expected)} as in the model, got {quoted(got)}')
    if merged.type != "c" and (merged.categories or merged.codes):
        _reject_labels(number, in_file, in_booster)
    if merged.type == "c" and in_booster.splits.by_threshold:
        _reject(number, f'"type": expected a number, {NOT_CATEGORICAL}, got "c"')


def _reject_labels(number: int, in_file: FeatureInfo, in_booster: BoosterFeature) -> NoReturn:
    """Reject labels or codes of a feature that is not categorical, or whose type is unknown."""
    key = "categories" if in_file.categories else "codes"
    if in_file.type:
        reason = f"but the type is {quoted(in_file.type)}"
    elif in_booster.type:
        reason = f"but the type is {quoted(in_booster.type)} in the model: remove the key"
    elif in_booster.splits.by_threshold:
        _reject(number, f'"{key}": remove the key, {NOT_CATEGORICAL}')
    else:
        reason = "which is not there: add it"
    _reject(number, f'"{key}" requires "type": "c", {reason}')


def _check_labels(
    number: int, in_file: FeatureInfo, in_booster: BoosterFeature, merged: FeatureInfo
) -> None:
    """Reject other labels than the booster's, or in another order.

    If a label is missing from the list, all labels after it get wrong codes, and the predictions
    are wrong without an error.
    """
    labels, expected = in_file.categories, in_booster.labels
    if isinstance(expected, LabelTraces):
        if not labels:
            _reject_unlisted(number, merged.name)
        count = len(expected.offsets) - 1
        contradiction = expected.find_contradiction(labels)
    else:
        count = len(expected)
        is_equal = not labels or not expected or labels == expected
        contradiction = (
            "" if is_equal else f"expected {listed(expected)} as in the model, got {listed(labels)}"
        )
    if labels and count and len(labels) != count:
        contradiction = f"expected {count:,} labels as in the model, got {len(labels):,}"
    if contradiction:
        _reject(number, f'"categories": {contradiction}')


def _reject_unlisted(number: int, name: str | None) -> NoReturn:
    first_version = ".".join(map(str, FIRST_VERSION_WITH_WHOLE_LABELS))
    raise SchemaConflict(
        f"feature {number} ({quoted(name)}): the model's category labels may be "
        f"truncated, because XGBoost before {first_version} truncates non-ASCII labels: "
        'list them in this file as "categories", in the order of their codes'
    )


def _check_codes(
    number: int, in_file: FeatureInfo, in_booster: BoosterFeature, merged: FeatureInfo
) -> None:
    """Reject fewer categories than the trees use, and a number of codes other than of labels."""
    label_count, min_count = len(merged.categories), in_booster.splits.code_count
    if label_count and in_file.codes and in_file.codes != label_count:
        _reject(
            number,
            f'"codes": expected {label_count:,}, the number of labels, got {in_file.codes:,}',
        )
    if (label_count or merged.codes) >= min_count:
        return
    if label_count:
        key, expected, got = "categories", f"at least {min_count:,} labels", label_count
    else:
        key, expected, got = "codes", f"at least {min_count:,}", merged.codes
    _reject(
        number,
        f'"{key}": expected {expected} (the trees use codes up to {min_count - 1:,}), got {got:,}: '
        "include all categories of the training data, in the order of their codes",
    )


def _check_missing_value(
    number: int, in_file: FeatureInfo, merged: FeatureInfo, estimator: Estimator
) -> None:
    """Reject a number that training did not treat as missing, or that is a category.

    XGBoost compares the number with the codes of categories. For all columns at once, this is what
    training did; for one column of labels, it is probably a mistake.
    """
    got, expected = merged.missing_value, estimator.missing_value
    if expected is not None and (got is None or np.float32(got) != np.float32(expected)):
        shown = None if got is None or math.isnan(got) else got
        _reject(
            number,
            f'"{MISSING_VALUE}": expected {quoted(expected)} as in the model, got {quoted(shown)}',
        )
    if got is None or got not in range(len(merged.categories)):
        return
    label = quoted(merged.categories[int(got)])
    if in_file.missing_value is not None or not merged.missing:
        _reject(
            number,
            f'"{MISSING_VALUE}": {quoted(got)} is the code of the label {label}, which would '
            f'always be missing: set "{MISSING_VALUE}": null for this feature',
        )


def _reject(number: int, message: str) -> NoReturn:
    raise SchemaConflict(f"feature {number}: {message}")
