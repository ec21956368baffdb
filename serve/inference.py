"""Inference: from an invocation to its reply: decode, align, predict, encode."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from serve.codecs import CODECS, decoder_for
from serve.model import Model
from serve.stages import Stages


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


def infer(model: Model, invocation: Invocation, stages: Stages | None = None) -> Reply:
    """Return the reply to an invocation, its time told by ``stages``; raises InvocationError for what is wrong with the payload."""
    stages = stages or Stages()
    predictions = []
    for records in decoder_for(invocation.media_type).decode(invocation.payload, invocation.parameters, model.schema):
        stages.end("decode")
        features = model.schema.align(records)
        stages.end("align")
        if len(features):
            predictions.append(model.predict(features))
        stages.end("predict")
    body = CODECS[invocation.accept].encode(np.concatenate(predictions) if predictions else np.empty(0, np.float32))
    stages.end("encode")
    return Reply(body, invocation.accept)
