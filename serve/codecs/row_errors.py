"""Lenient: the lines of a payload, each read for itself, so that a bad one costs only its own prediction.

Source: contract 5.9.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from serve.codecs import LineCodec
from serve.codecs.lines import slices_of_lines
from serve.errors import HeaderMismatch, MalformedPayload, SchemaMismatch
from serve.media_types import CSV
from serve.records import Records
from serve.schema.schema import Schema

# Lines with a bad one among them are read again in so many parts, and so each line at most a few times.
PARTS = 32
LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Scorable:
    """A slice's good records as features, float32 (n, f), and what is wrong with each bad one, by its place in the slice."""

    features: NDArray[np.float32]
    faults: Mapping[int, str]


@dataclass(slots=True)
class Tally:
    """How many records were bad so far."""

    bad_records: int = 0


def scorable_slices(
    codec: LineCodec, payload: bytes, parameters: Mapping[str, str], schema: Schema
) -> Iterator[Scorable]:
    """Yield the lines in slices, none of them empty; each line is a record, and none holds a line end in quotes.

    Raises what no record alone is to blame for: HeaderMismatch, and what is wrong with the parameters or the names.
    """
    body, names = codec.framed(payload, parameters, schema)
    schema.align(Records([], textual=True, names=names))
    reader, row = _Lines(codec, names, schema), 1
    for part in slices_of_lines(body) if body is not None else ():
        lines = part.split(b"\n")
        faults: dict[int, str] = {}
        features = [*reader.features(lines, row, faults)]
        good = (
            np.concatenate(features) if features else np.empty((0, schema.width), dtype=np.float32)
        )
        yield Scorable(good, {bad - row: fault for bad, fault in faults.items()})
        row += len(lines)


def with_faults(media_type: str, encoded: bytes, faults: Mapping[int, str]) -> bytes:
    """Return the encoded lines of the good records with a line for each bad one in its place."""
    if not faults:
        return encoded
    lines = encoded.splitlines()
    good = iter(lines)
    bad = {
        place: b"ERROR" if media_type == CSV else orjson.dumps({"error": message})
        for place, message in faults.items()
    }
    return b"".join(
        (bad[place] if place in bad else next(good)) + b"\n"
        for place in range(len(lines) + len(bad))
    )


@dataclass(frozen=True, slots=True)
class _Lines:
    """How lines are read as features."""

    codec: LineCodec
    names: tuple[str, ...] | None
    schema: Schema

    def features(
        self, lines: Sequence[bytes], row: int, faults: dict[int, str]
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the good ones of the lines from a row on, and put down what is wrong with the others by their rows."""
        try:
            text = b"\n".join(lines)
            read = [
                self.schema.align(records)
                for records in self.codec.records(text, row, self.names, self.schema)
            ]
            if sum(map(len, read)) != len(
                lines
            ):  # a field in quotes may span lines, and would move the rows behind it
                raise MalformedPayload(
                    f"row {row}: expected a record on each line, and no line end in quotes"
                )
            yield np.concatenate(read)
        except HeaderMismatch:
            raise
        except (MalformedPayload, SchemaMismatch) as error:
            if len(lines) == 1:
                faults[row] = str(error)[:LONGEST_MESSAGE].encode(errors="replace").decode()
                return
            step = -(-len(lines) // PARTS)
            for start in range(0, len(lines), step):
                yield from self.features(lines[start : start + step], row + start, faults)
