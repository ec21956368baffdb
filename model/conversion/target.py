"""Where the converted model goes, and what remains to be done to serve it."""

import shlex
import tempfile
from pathlib import Path

from model.conversion.errors import CannotConvert
from serve.errors import StartupError
from serve.model.artifact import find_model
from serve.model.files.names import STANDARD_NAMES
from serve.model.model import load_model
from serve.settings import Settings

# What a model's file name may end with before the conversion, each at most once.
SUFFIXES = (".gz", ".gzip", ".z", ".zlib", ".bz2", ".xz", ".lzma", ".lz4")
FORMATS = (".pkl", ".pickle", ".joblib", ".jbl", ".sav", ".dat", ".bin", ".model")


def choose_target(source: Path, wanted: Path | None) -> Path:
    """Return the path of the converted model; raises CannotConvert if it cannot be written.

    Its directory may not exist yet.
    """
    target = wanted or source.with_name(f"{_remove_suffixes(source.name)}.ubj")
    if target.suffix != ".ubj":
        raise CannotConvert(f"{target}: expected a name that ends in .ubj")
    if target.exists():
        raise CannotConvert(f"{target} exists already: remove it, or name another file with OUT=")
    existing = next(folder for folder in target.absolute().parents if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise CannotConvert(
            f"cannot write to {existing} ({error.strerror}): "
            "name a file in another directory with OUT=path/to/model.ubj"
        ) from error
    return target


def describe_next_step(source: Path, target: Path) -> str:
    """Return how to check the converted model where it is, or why the server would not serve it."""
    folder = target.parent
    check = f"make check FOLDER={shlex.quote(str(folder))}"
    if source.name in STANDARD_NAMES and source.resolve().parent == folder.resolve():
        return (
            f"Next: move {source.name} to another directory, because the server would try to load "
            f"it instead of {target.name}; then {check}"
        )
    move = f"move {target.name} to a directory of its own, with schema.json if you need it"
    try:
        found = find_model(folder).path
        if found != target:
            return f"The server would serve {found} instead: {move}"
    except (StartupError, OSError) as error:
        return f"The server does not start with this directory: {error}; {move}"
    try:
        load_model(Settings(model_folder=folder))
    except (StartupError, OSError) as error:
        return f"The server does not start with this directory: {error}"
    return f"Next: {check}"


def _remove_suffixes(name: str) -> str:
    for suffixes in (SUFFIXES, FORMATS):
        ending = next((suffix for suffix in suffixes if name.lower().endswith(suffix)), "")
        name = name[: len(name) - len(ending)] or name
    return name
