"""Find the XGBoost model inside what a pickle contains, and what the pickle knows about it."""

import math
import pickle
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import numpy as np

from model.conversion.errors import CannotConvert
from model.conversion.inert_pickle import Inert, read_pickle
from model.conversion.rejection import (
    BEST_ESTIMATOR,
    describe_rejection,
    find_best_estimator,
    name_of,
    with_article,
)
from model.conversion.source import Source
from serve.schema.feature import FLOAT32_OVERFLOW

BOOSTER = ("xgboost.core", "Booster")


@dataclass(frozen=True, slots=True)
class Original:
    """A model as it was saved.

    Attributes:
        booster: the bytes of the booster.
        description: what the model is, with an article, for messages.
        estimator: the name of the scikit-learn estimator's class, "" for a booster.
        feature_names, feature_types: those that the booster's bytes do not contain.
        best_trees: the number of trees that XGBoost before 1.4 chose with early stopping.
        missing: the number that the estimator treats as missing; NaN if none.
        classes: the classes of a classifier in the order of its outputs.
        class_count: the number of classes, 0 if unknown.
        may_be_older_than_0_80: whether training stopped early in an XGBoost that may be so old that
            the estimator predicts with all rounds all the same.

    """

    booster: bytes
    description: str
    estimator: str = ""
    feature_names: list[str] | None = None
    feature_types: list[str] | None = None
    best_trees: int | None = None
    missing: float = math.nan
    classes: tuple[str | int, ...] = ()
    class_count: int = 0
    may_be_older_than_0_80: bool = False


def read_original(source: Source, *, trust_pickle: bool) -> Original:
    """Return the model in a file; raises CannotConvert if there is not exactly one."""
    if not source.is_pickle:
        return Original(source.content, "a model in XGBoost's binary format")
    original = _read_pickled(source.content)
    if not trust_pickle:
        raise CannotConvert(
            f"it is a pickle of {original.description}, and pickles can run arbitrary code when "
            "they are loaded; if you trust the file, add TRUST=yes"
        )
    return original


def _read_pickled(content: bytes) -> Original:
    try:
        return find_original(read_pickle(content))
    except CannotConvert:
        raise
    except (EOFError, pickle.UnpicklingError) as error:
        reason = error or "its end is missing"
        raise CannotConvert(
            f"the pickle is truncated or damaged ({reason}): copy the file again"
        ) from error
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise CannotConvert(
            f"the pickle cannot be read ({type(error).__name__}: {reason}): "
            "if it is not damaged, save the model with booster.save_model('model.ubj')"
        ) from error


def find_original(pickled: Any) -> Original:
    """Return the model of an unpickled object; raises CannotConvert if there is not exactly one."""
    if isinstance(pickled, Inert) and (pickled.module, pickled.name) == BOOSTER:
        return _from_booster(pickled.attributes, with_article(pickled.name))
    if _is_estimator(pickled):
        return _from_estimator(pickled)
    best = find_best_estimator(pickled)
    if not _is_estimator(best):
        raise CannotConvert(describe_rejection(pickled))
    original = _from_estimator(best)
    search = with_article(name_of(pickled))
    return replace(
        original, description=f"{original.description}, the {BEST_ESTIMATOR} of {search}"
    )


def _is_estimator(pickled: Any) -> TypeGuard[Inert]:
    return (
        isinstance(pickled, Inert)
        and pickled.module.partition(".")[0] == "xgboost"
        and pickled.name.removeprefix("Dask").startswith("XGB")
    )


def _from_booster(state: dict[str, Any], description: str, **known: Any) -> Original:
    handle = state.get("handle")
    if not isinstance(handle, bytes | bytearray):
        raise CannotConvert(f"it is {description} without trees: train it before saving it")
    names = _as_texts(state.get("feature_names"))
    if names == [f"f{number}" for number in range(len(names or ()))]:
        names = None  # XGBoost before 1.4 made these up for columns without names
    types = _as_texts(state.get("feature_types"))
    return Original(bytes(handle), description, feature_names=names, feature_types=types, **known)


def _from_estimator(estimator: Inert) -> Original:
    state, description = estimator.attributes, with_article(estimator.name)
    booster = state.get("_Booster")
    if not isinstance(booster, Inert):
        raise CannotConvert(f"it is {description} that was not fitted: fit it before saving it")
    return _from_booster(
        booster.attributes,
        description,
        estimator=estimator.name,
        best_trees=state.get("best_ntree_limit"),
        missing=_read_missing(state.get("missing")),
        classes=_read_classes(estimator),
        class_count=_read_class_count(state),
        # XGBoost 0.81 began to save this attribute of a booster.
        may_be_older_than_0_80="best_ntree_limit" in state and "booster" not in booster.attributes,
    )


def _read_missing(value: Any) -> float:
    """Return what an estimator treats as missing: a number that float32 represents, or infinity."""
    try:
        missing = math.nan if value is None else float(value)
    except OverflowError:
        missing = math.inf if value > 0 else -math.inf
    return math.copysign(math.inf, missing) if abs(missing) >= FLOAT32_OVERFLOW else missing


def _read_class_count(state: dict[str, Any]) -> int:
    """Return the number of classes, or of labels; 0 for anything but a classifier."""
    return int(state.get("n_classes_", 0))


def _read_classes(estimator: Inert) -> tuple[str | int, ...]:
    """Return the classes, which XGBoost from 1.6 on numbers from 0, so it may not save them."""
    state = estimator.attributes
    if "Classifier" not in estimator.name:
        return ()
    encoder = state.get("_le")
    classes = state.get("classes_")
    if classes is None and isinstance(encoder, Inert):
        classes = encoder.attributes.get("classes_")
    if classes is None:
        return tuple(range(_read_class_count(state)))
    return tuple(_as_class(value) for value in np.asarray(classes).tolist())


def _as_class(value: Any) -> str | int:
    """Return a class as schema.json can contain it."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else str(value)


def _as_texts(values: Any) -> list[str] | None:
    return None if values is None else [str(value) for value in values]
