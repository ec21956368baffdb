"""Inference: from an invocation to its reply: decode, align, predict, encode."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serve.codecs import CODECS, LINE_CODECS, Decoder, decoder_for
from serve.lenient import Scorable, Tally, scorable_slices, with_faults
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


def infer_slices(model: Model, invocation: Invocation, stages: Stages, spread: Spread) -> Iterator[bytes]:
    """Yield the reply to an invocation in encoded slices, one after the other; its Accept is a type whose slices concatenate."""
    slices = _features(model, decoder_for(invocation.media_type), invocation, stages)
    return map(CODECS[invocation.accept].encode, spread.each(model.predict, slices))


def infer_leniently(model: Model, invocation: Invocation, tally: Tally, spread: Spread) -> Iterator[bytes]:
    """Yield such slices, lines in and lines out, with a fault's line in the place of each bad record, which ``tally`` counts."""
    encode = CODECS[invocation.accept].encode
    codec = LINE_CODECS[invocation.media_type]
    slices = scorable_slices(codec, invocation.payload, invocation.parameters, model.schema)

    def predict(slice_: Scorable) -> tuple[NDArray[np.float32], Mapping[int, str]]:
        return model.predict(slice_.features) if len(slice_.features) else NOTHING, slice_.faults

    for predictions, faults in spread.each(predict, slices):
        tally.bad_records += len(faults)
        yield with_faults(invocation.accept, encode(predictions), faults)


def _features(model: Model, decoder: Decoder, invocation: Invocation, stages: Stages) -> Iterator[NDArray[np.float32]]:
    """Yield the payload's slices as features, none of them empty."""
    for records in decoder.decode(invocation.payload, invocation.parameters, model.schema):
        stages.end("decode")
        features = model.schema.align(records)
        stages.end("align")
        if len(features):
            yield features
        stages.end("predict")
