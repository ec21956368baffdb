"""Scorer: the functions that predict and encode the outputs of a response."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from serve.codecs import CODECS
from serve.columns import (
    Columns,
    concatenate_columns,
    flatten_cells,
    split_columns,
    split_scores,
)
from serve.errors import NotAcceptable
from serve.media.accept import parse_cells, parse_outputs
from serve.media.types import CELLS, CSV, JSON, JSON_LINES, TOP
from serve.model.model import Model
from serve.output_keys import CLASS, CLASS_KEYS, SCORE, SPREAD
from serve.outputs.classes import explain_unavailable
from serve.outputs.explanations import ExplainOptions, explain, parse_explain_options
from serve.outputs.selection import select_outputs

# The media types that can contain names.
NAMED_TYPES = (CSV, JSON, JSON_LINES)
NO_SCORES = np.empty(0, dtype=np.float32)

Features = NDArray[np.float32]


class Scorer(NamedTuple):
    """Functions for the outputs of a response.

    They predict a slice, concatenate the predictions of slices, split them into parts of limited
    size, and encode a part. Predictions are an array of scores, or Columns. If ``names_differ``,
    the response contains a name for each record, and so its size depends on the predictions.
    """

    predict: Callable[[Features], Any]
    concatenate: Callable[[Sequence[Any]], Any]
    split: Callable[[Any], Iterable[Any]]
    encode: Callable[[Any], bytes]
    names_differ: bool = False


def choose_scorer(
    model: Model, accept: str, parameters: Mapping[str, str], output_keys: Sequence[str]
) -> Scorer:
    """Return the scorer for a response of the media type ``accept`` with these parameters.

    ``output_keys`` are those of SAGEMAKER_INFERENCE_OUTPUT, which apply if Accept selects none.
    Raises NotAcceptable for outputs that the model or the media type does not support.
    """
    if not output_keys and not parameters:
        return _choose_score_scorer(model, accept)
    requested = parse_outputs(parameters)
    keys = output_keys if requested is None else requested
    explanation = parse_explain_options(parameters, accept, model)
    is_flat = _check_cells(parameters, accept)
    if explanation is None and tuple(keys) in ((), (SCORE,)):
        return _choose_score_scorer(model, accept)
    check_outputs(model, keys, accept)
    encode_columns = CODECS[accept].encode_columns

    def predict(features: Features) -> Columns:
        return predict_columns(model, features, keys, explanation)

    def encode(columns: Columns) -> bytes:
        return encode_columns(flatten_cells(columns) if is_flat else columns)

    names_differ = CLASS in keys or TOP in parameters
    return Scorer(predict, concatenate_columns, split_columns, encode, names_differ)


def check_outputs(model: Model, keys: Sequence[str], accept: str) -> None:
    """Raise NotAcceptable for a key of CLASS_KEYS that the model or the media type cannot have."""
    for key in keys:
        if key not in CLASS_KEYS:
            continue
        if reason := explain_unavailable(model, key):
            raise NotAcceptable(f"the output {key} is not available: {reason}")
        if accept not in NAMED_TYPES:
            raise NotAcceptable(
                f"{accept} cannot contain the names of the output {key}: "
                f"expected {', '.join(NAMED_TYPES)}"
            )


def _check_cells(parameters: Mapping[str, str], accept: str) -> bool:
    is_flat = parse_cells(parameters)
    if is_flat and accept != CSV:
        raise NotAcceptable(f"Accept: {CELLS}={parameters[CELLS]}: requires {CSV}, got {accept}")
    return is_flat


def _choose_score_scorer(model: Model, accept: str) -> Scorer:
    return Scorer(model.predict, _concatenate_scores, split_scores, CODECS[accept].encode)


def predict_columns(
    model: Model,
    features: Features,
    output_keys: Sequence[str],
    explanation: ExplainOptions | None = None,
) -> Columns:
    """Return one column per output key, then the columns of the explanation.

    Without output keys, the score is the only output.
    """
    columns = _compute_output_columns(model, features, output_keys)
    if explanation is None:
        return columns
    return {**columns, **explain(model, features, explanation)}


def _compute_output_columns(
    model: Model, features: Features, output_keys: Sequence[str]
) -> Columns:
    if not output_keys:
        return {SCORE: model.predict(features)}
    if SPREAD in output_keys:
        predictions, spread = model.predict_with_spread(features)
    else:
        predictions, spread = model.predict(features), None
    return select_outputs(output_keys, model, predictions, spread)


def _concatenate_scores(slices: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the scores of all slices, without a copy if there is only one slice."""
    if not slices:
        return NO_SCORES
    return slices[0] if len(slices) == 1 else np.concatenate(slices)
