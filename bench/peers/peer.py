"""Peer: a server under test, as data: what it needs, how it starts, what it is sent and what it answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from bench.models import Row

CSV = "text/csv"
JSON = "application/json"

Predictions = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Launch:
    """One start of a server: its interpreter, the model's file in its folder, a free port, and a folder to write to."""

    python: Path
    model: Path
    port: int
    scratch: Path


@dataclass(frozen=True, slots=True)
class Peer:
    """A server, and the bodies that it takes by media type, its favourite first.

    ``requirements`` are pip's arguments, ``packages`` those whose versions are told. ``prepare`` runs before each start.
    ``read`` returns the predictions of a reply, (n,) or (n, k); a server without it, a floor, predicts nothing.
    """

    name: str
    requirements: Sequence[str]
    packages: Sequence[str]
    command: Callable[[Launch], Sequence[str | Path]]
    path: str
    bodies: Mapping[str, Callable[[Sequence[Row]], bytes]]
    read: Callable[[bytes], Predictions] | None
    env: Callable[[Launch], Mapping[str, str]] = field(default=lambda _: {})
    prepare: Callable[[Launch], None] = field(default=lambda _: None)
    newest_python: tuple[int, int] = (3, 99)

    @property
    def environment(self) -> str:
        """The name of the virtual environment, which peers with the same requirements share."""
        return "ours" if self.requirements == OURS else self.name.lower().replace(" ", "-")


OURS = ("--require-hashes", "--only-binary", ":all:", "--requirement", "container/requirements.txt")


def csv_of(rows: Sequence[Row]) -> bytes:
    """Return rows as lines of CSV."""
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


def json_of(key: str) -> Callable[[Sequence[Row]], bytes]:
    """Return what makes an object of JSON with the rows under a key."""
    return lambda rows: orjson.dumps({key: rows})


def predictions_of(reply: bytes) -> Predictions:
    """Return the predictions of an object of JSON that holds them as they are."""
    return np.array(orjson.loads(reply)["predictions"], dtype=np.float64)
