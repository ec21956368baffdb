"""Read the file to convert: decompress it, and recognize what it is by its bytes."""

import bz2
import gzip
import importlib
import lzma
import shlex
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from model.conversion.errors import CannotConvert
from serve.model.files.listing import Entry, NotReadable
from serve.model.files.model_format import detect_format
from serve.model.files.reading import read_regular
from serve.model.foreign.compression import recognize_compression
from serve.model.foreign.formats import Likelihood
from serve.model.foreign.pickles import is_pickle
from serve.model.foreign.recognition import BINARY_MODEL, FLOAT_AND_COUNT, recognize

HEAD_BYTES = 4096
MAX_SOURCE_BYTES = 4 << 30
DAMAGED = (EOFError, OSError, RuntimeError, zlib.error, lzma.LZMAError)


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of a file after decompression, and whether they are a pickle or a binary model."""

    content: bytes
    is_pickle: bool


def read_source(path: Path) -> Source:
    """Return the content of a file that may be converted; raises CannotConvert for any other."""
    packed = _read(path)
    content = _decompress(packed)
    head = content[:HEAD_BYTES]
    if is_pickle(head):
        return Source(content, is_pickle=True)
    if detect_format(head):
        if content is packed:
            raise CannotConvert("nothing to convert, the server loads the model as it is")
        raise CannotConvert("it is a compressed model in a current format: decompress it")
    if BINARY_MODEL.match(head):
        return Source(content, is_pickle=False)
    if reason := _explain_other(path):
        raise CannotConvert(reason)
    if FLOAT_AND_COUNT.match(head):
        return Source(content, is_pickle=False)
    raise CannotConvert(
        "expected a model in XGBoost's binary format, or a pickle or joblib file of a model, "
        f"got a file that starts with {head[:16]!r}"
    )


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise CannotConvert("it is a directory: name the model file in it")
    if not path.is_file():
        raise CannotConvert("file not found; usage: make convert MODEL=path/to/file")
    try:
        return read_regular(path, MAX_SOURCE_BYTES)
    except NotReadable as error:
        raise CannotConvert(f"it {error}") from error


def _decompress(content: bytes) -> bytes:
    """Return the content without the compression that joblib, or gzip and the like, added."""
    compression = recognize_compression(content[:HEAD_BYTES])
    if compression is None:
        return content
    name = compression.name
    if name not in DECOMPRESS:
        raise CannotConvert(f"it is compressed with {name}: decompress it first")
    try:
        return DECOMPRESS[name](content)
    except ModuleNotFoundError as error:
        raise CannotConvert(
            f"it is compressed with {name}, but the package {error.name} is not installed: "
            f"run `.venv/bin/python -m pip install {error.name}`, or decompress the file first"
        ) from error
    except DAMAGED as error:
        raise CannotConvert(
            f"it is compressed with {name}, but truncated or damaged: copy the file again"
        ) from error


def _decompress_lz4(content: bytes) -> bytes:
    try:
        module = importlib.import_module("lz4.frame")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(name="lz4") from error
    decompressed: bytes = module.decompress(content)
    return decompressed


DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zlib": zlib.decompress,
    "bzip2": bz2.decompress,
    "xz": lzma.decompress,
    "LZMA": lzma.decompress,
    "LZ4": _decompress_lz4,
}


def _explain_other(path: Path) -> str:
    """Return what a file that cannot be converted is, and what to do, or "" if that is unknown."""
    foreign = recognize(Entry(path.parent, path.name))
    if foreign is None or foreign.likelihood == Likelihood.CONVERTIBLE:
        return ""
    fix = foreign.fix.format(path=shlex.quote(str(path)), folder=shlex.quote(str(path.parent)))
    return f"it {foreign.predicate}: {fix}"
