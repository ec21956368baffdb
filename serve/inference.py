"""Inference: from an invocation to its reply: decode, align, predict, encode."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from serve.codecs import CODECS, Decoder, decoder_for
from serve.columns import Columns, joined
from serve.explanations import EXPLAIN, Explanation, explained, explanation_of
from serve.model import Model
from serve.outputs import SCORE, SPREAD, selected
from serve.spread import Spread
from serve.stages import Stages

ALONE = Spread()
NOTHING = np.empty(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Invocation:
    """A payload, the media type it comes in with its parameters, and the one its reply leaves in."""

    payload: bytes
    media_type: str
    parameters: Mapping[str, str]
    accept: str
    accept_parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """Encoded predictions, one for each record of the payload, in order."""

    body: bytes
    media_type: str


def infer(
    model: Model,
    invocation: Invocation,
    stages: Stages | None = None,
    spread: Spread = ALONE,
    keys: Sequence[str] = (),
) -> Reply:
    """Return the reply to an invocation, its time told by ``stages``; raises InvocationError for what is wrong with the payload.

    ``keys`` are those of SAGEMAKER_INFERENCE_OUTPUT; without them the reply has the score of each record.
    """
    stages = stages or Stages()
    if keys or EXPLAIN in invocation.accept_parameters:
        return _infer_columns(model, invocation, stages, spread, keys)
    slices = _features(model, decoder_for(invocation.media_type), invocation, stages)
    predictions = list(spread.each(model.predict, slices))
    stages.end("predict")
    body = CODECS[invocation.accept].encode(
        np.concatenate(predictions) if len(predictions) > 1 else predictions[0] if predictions else NOTHING
    )
    stages.end("encode")
    return Reply(body, invocation.accept)


def _infer_columns(model: Model, invocation: Invocation, stages: Stages, spread: Spread, keys: Sequence[str]) -> Reply:
    """Return the reply whose records tell more than a score."""
    explanation = explanation_of(invocation.accept_parameters, invocation.accept, model)
    slices = _features(model, decoder_for(invocation.media_type), invocation, stages)
    columns = joined(list(spread.each(lambda features: told(model, features, keys, explanation), slices)))
    stages.end("predict")
    body = CODECS[invocation.accept].encode_columns(columns)
    stages.end("encode")
    return Reply(body, invocation.accept)


def told(model: Model, features: NDArray[np.float32], keys: Sequence[str], explanation: Explanation | None = None) -> Columns:
    """Return the columns of the keys, or of the score without them, and those of the explanation."""
    predictions, spread = model.predict_spread(features) if SPREAD in keys else (model.predict(features), None)
    known = selected(keys, model.objective, model.classes, predictions, spread) if keys else {SCORE: predictions}
    return {**known, **explained(model, features, explanation)} if explanation else known


def _features(model: Model, decoder: Decoder, invocation: Invocation, stages: Stages) -> Iterator[NDArray[np.float32]]:
    """Yield the payload's slices as features, none of them empty."""
    for records in decoder.decode(invocation.payload, invocation.parameters, model.schema):
        stages.end("decode")
        features = model.schema.align(records)
        stages.end("align")
        if len(features):
            yield features
        stages.end("predict")
