"""Scorer: the functions that predict and encode the outputs of a response."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from serve.codecs import CODECS
from serve.columns import Columns, concatenate_columns, split_columns, split_scores
from serve.media.types import EXPLAIN
from serve.model.model import Model
from serve.output_keys import SPREAD
from serve.outputs.explanations import ExplainOptions, explain, parse_explain_options
from serve.outputs.selection import SCORE, select_outputs

NO_SCORES = np.empty(0, dtype=np.float32)

Features = NDArray[np.float32]


class Scorer(NamedTuple):
    """Functions for the outputs of a response.

    They predict a slice, concatenate the predictions of slices, split them into parts of limited
    size, and encode a part. Predictions are an array of scores, or Columns.
    """

    predict: Callable[[Features], Any]
    concatenate: Callable[[Sequence[Any]], Any]
    split: Callable[[Any], Iterable[Any]]
    encode: Callable[[Any], bytes]


def choose_scorer(
    model: Model, accept: str, parameters: Mapping[str, str], output_keys: Sequence[str]
) -> Scorer:
    """Return the scorer for a response of the media type ``accept`` with these parameters.

    ``output_keys`` are the keys of SAGEMAKER_INFERENCE_OUTPUT. Raises NotAcceptable for an
    explanation that the model or the media type does not support.
    """
    codec = CODECS[accept]
    if not output_keys and EXPLAIN not in parameters:
        return Scorer(model.predict, _concatenate_scores, split_scores, codec.encode)
    explanation = parse_explain_options(parameters, accept, model)

    def predict(features: Features) -> Columns:
        return predict_columns(model, features, output_keys, explanation)

    return Scorer(predict, concatenate_columns, split_columns, codec.encode_columns)


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
    return select_outputs(output_keys, model.objective, model.class_count, predictions, spread)


def _concatenate_scores(slices: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the scores of all slices, without a copy if there is only one slice."""
    if not slices:
        return NO_SCORES
    return slices[0] if len(slices) == 1 else np.concatenate(slices)
