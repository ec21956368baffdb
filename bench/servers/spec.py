"""The description of a server: its packages, how to start it, and its request format."""

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
    """One start of a server: interpreter, model file, port, and a directory it may write to."""

    python: Path
    model: Path
    port: int
    scratch: Path


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """The description of a server.

    Attributes:
        requirements: arguments of pip install.
        packages: packages whose versions the report lists.
        path: path of the prediction route.
        bodies: functions that encode rows as a request body, by media type; the preferred first.
        read: decodes predictions, (n,) or (n, k), from a response; None if responses have none.
        prepare: runs before each start.
        newest_python: the newest Python version that the server supports.
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
        """The name of the virtual environment; all users of the image's lock share one."""
        if self.requirements == IMAGE_LOCK:
            return "ours"
        return self.name.lower().replace(" ", "-")


IMAGE_LOCK = (
    "--require-hashes",
    "--only-binary",
    ":all:",
    "--requirement",
    "container/requirements.txt",
)


def encode_csv(rows: Sequence[Row]) -> bytes:
    """Return rows as lines of CSV."""
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


def json_encoder(key: str) -> Callable[[Sequence[Row]], bytes]:
    """Return a function that encodes rows as a JSON object with one key."""
    return lambda rows: orjson.dumps({key: rows})


def read_json_predictions(response: bytes) -> Predictions:
    """Return the array under "predictions" of a JSON object."""
    return np.array(orjson.loads(response)["predictions"], dtype=np.float64)
