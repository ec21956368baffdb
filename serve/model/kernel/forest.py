"""Forest: a booster's trees in the kernel."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import xgboost
from numpy.typing import NDArray

from serve.model.kernel.built_in import IDENTITY, choose_built_in
from serve.model.kernel.extension import load_extension
from serve.model.kernel.layout import MAX_EVALUATED, TOP_LEVELS, lay_out
from serve.model.kernel.probes import build_probes
from serve.model.kernel.trees import Trees, read_trees
from serve.model.kernel.twin import build_transform, build_twin, read_base_margins
from serve.model.kernel.ubjson import parse
from serve.model.kernel.unsupported import Unsupported
from serve.model.native_predict import Predictor

Floats = NDArray[np.float32]
# Of evaluating a block, by the bytes of a vector.
RELATIVE_COST = {"avx512": 0.5, "avx2": 1.2, "base": 1.8}
MAX_OUTPUTS = 512  # the other half of the kernel's memory for 64 rows
MAX_FLOAT = np.finfo(np.float32).max
# The row counts that the self-check predicts: walked, evaluated, and both.
PROBE_SIZES = (1, 2, 63, 64, 65)


def build_kernel_predictor(
    booster: xgboost.Booster, rounds: int, reference: Predictor, variant: str
) -> Predictor:
    """Return a predictor whose predictions equal those of ``reference`` bit for bit.

    Raises Unsupported for a model that the kernel does not support, and if predictions differ.
    """
    try:
        document = parse(_save(booster))
        learner = document["learner"]
        booster_type = learner["gradient_booster"]["name"]
        trees, twin = read_trees(learner, rounds), build_twin(document)
        predict = _build_predict(trees, twin, learner["objective"]["name"], variant)
        del document, learner  # as large as the model
        _compare(predict, reference, _build_probes(trees, booster_type))
    except xgboost.core.XGBoostError as error:
        reason = str(error).partition("\n")[0]
        raise Unsupported(f"XGBoost failed to check it ({reason})") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Unsupported(
            f"XGBoost {xgboost.__version__} saves it in an unknown format ({error!r})"
        ) from error
    return predict


def _save(booster: xgboost.Booster) -> bytes:
    """Return the booster as UBJSON.

    XGBoost keeps a copy until the calling thread ends: for 2,000 trees of depth 10, 52 MB.
    """
    try:
        with ThreadPoolExecutor(max_workers=1) as executor:
            return bytes(executor.submit(booster.save_raw, "ubj").result())
    except RuntimeError:  # the system refuses to start a thread
        return bytes(booster.save_raw("ubj"))


def _build_probes(trees: Trees, booster_type: str) -> Floats:
    """Return rows that the reference predicts; until XGBoost 3.3, dart's rejects infinity."""
    probes = build_probes(trees)
    return probes.clip(-MAX_FLOAT, MAX_FLOAT) if booster_type == "dart" else probes


def _build_predict(trees: Trees, twin: xgboost.Booster, objective: str, variant: str) -> Predictor:
    extension = load_extension()
    base_margins = read_base_margins(twin)
    if len(base_margins) > MAX_OUTPUTS:
        raise Unsupported(f"it has more than {MAX_OUTPUTS} outputs")
    transform = build_transform(twin)
    built_in = choose_built_in(objective, transform, len(base_margins))
    arrays = lay_out(trees).list_arrays(base_margins)
    forest = extension.load(
        variant,
        trees.feature_count,
        count_walked(trees, variant),
        IDENTITY if built_in is None else built_in,
        *arrays,
    )
    outputs = () if len(base_margins) == 1 else (len(base_margins),)
    predict_margins = extension.predict

    def predict(features: Floats) -> Floats:
        features = np.ascontiguousarray(features, dtype=np.float32)
        if not features.flags.aligned:  # C reads whole numbers; a payload may start anywhere
            features = features.copy()
        predictions = np.empty((len(features), *outputs), dtype=np.float32)
        predict_margins(forest, features, predictions)
        return transform(predictions) if built_in is None else predictions

    return predict


def count_walked(trees: Trees, variant: str) -> int:
    """Return below how many rows it is faster to walk one by one than to evaluate a block of 64.

    The costs of a tree are in nanoseconds, measured on an AMD EPYC (Zen 5).
    """
    walked = 1.2 * trees.depth + 1
    whole = 0.75 * 2.0 ** np.minimum(trees.depth, MAX_EVALUATED) + 25
    top = 73 + 77 * (trees.depth - TOP_LEVELS)
    evaluated = np.where(trees.depth > MAX_EVALUATED, top, whole)
    ratio = RELATIVE_COST[variant] * evaluated.sum() / walked.sum()
    return int(np.clip(ratio + 1, 2, 48))


def _compare(predict: Predictor, reference: Predictor, probes: Floats) -> None:
    """Raise Unsupported if any bit of the predictions for the probes differs."""
    expected = reference(probes)
    starts = np.cumsum((0, *PROBE_SIZES))
    slices = [slice(*bounds) for bounds in pairwise(starts)]
    for rows in (*slices, slice(None)):
        predictions, wanted = predict(probes[rows]), expected[rows]
        if predictions.shape != wanted.shape:
            raise Unsupported("it predicts another number of values than XGBoost")
        if not np.array_equal(predictions.view(np.int32), wanted.view(np.int32)):
            raise Unsupported("its predictions differ from XGBoost's")
