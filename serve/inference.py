"""Inference: from an invocation to its reply: decode, align, predict, encode."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serve.codecs import CODECS, Decoder, decoder_for
from serve.model import Model
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


@dataclass(frozen=True, slots=True)
class Reply:
    """Encoded predictions, one for each record of the payload, in order."""

    body: bytes
    media_type: str


def infer(model: Model, invocation: Invocation, stages: Stages | None = None, spread: Spread = ALONE) -> Reply:
    """Return the reply to an invocation, its time told by ``stages``; raises InvocationError for what is wrong with the payload."""
    stages = stages or Stages()
    slices = _features(model, decoder_for(invocation.media_type), invocation, stages)
    predictions = list(spread.each(model.predict, slices))
    stages.end("predict")
    body = CODECS[invocation.accept].encode(
        np.concatenate(predictions) if len(predictions) > 1 else predictions[0] if predictions else NOTHING
    )
    stages.end("encode")
    return Reply(body, invocation.accept)


def _features(model: Model, decoder: Decoder, invocation: Invocation, stages: Stages) -> Iterator[NDArray[np.float32]]:
    """Yield the payload's slices as features, none of them empty."""
    for records in decoder.decode(invocation.payload, invocation.parameters, model.schema):
        stages.end("decode")
        features = model.schema.align(records)
        stages.end("align")
        if len(features):
            yield features
        stages.end("predict")
