"""Load a model file into an XGBoost booster."""

import re

import xgboost

from serve.errors import BadArtifact
from serve.model.artifact import ModelFile
from serve.model.files.checksum import check_content
from serve.model.files.reading import MAX_MODEL_BYTES, read_file
from serve.model.structure.damaged import Damaged
from serve.model.structure.json_levels import check_levels
from serve.model.structure.trees import check_trees
from serve.text import printable

# The time and source position that XGBoost's C++ code puts before a message.
LOG_PREFIX = re.compile(r"^\[\d\d:\d\d:\d\d\] \S+: ")

COPY_AGAIN = "copy the file again, or save the model again"


def read_booster(file: ModelFile, *, allow_newer: bool) -> xgboost.Booster:
    """Return the single-threaded booster of a model file.

    Raises BadArtifact if XGBoost cannot load the file, or if it differs from its checksum. Also
    raises it if a newer XGBoost wrote the file, unless ``allow_newer`` is true.
    """
    if not allow_newer:
        _check_writer_version(file)
    try:
        content = _read_content(file)
        # Use one thread, because OpenMP's threads do not survive the fork (dmlc/xgboost#8040).
        # Pass bytes, because XGBoost would guess the format of a path from its file extension.
        # They must not start with blanks.
        booster = xgboost.Booster({"nthread": 1}, model_file=bytearray(content.lstrip()))
        if file.format == "JSON" and not file.is_sound:
            check_trees(bytes(booster.save_raw("ubj")))
    except (xgboost.core.XGBoostError, UnicodeDecodeError) as error:
        # UnicodeDecodeError: XGBoost's message may quote bytes that are not UTF-8.
        raise BadArtifact(
            f"XGBoost {xgboost.__version__} cannot load {file.path} ({summarize_error(error)}): "
            f"the file may be damaged: {COPY_AGAIN}"
        ) from error
    except Damaged as error:
        raise _build_damage_error(file, error) from error
    return booster


def check_file(file: ModelFile) -> None:
    """Raise BadArtifact if a file differs from its checksum, or if its structure is damaged."""
    try:
        _read_content(file)
    except Damaged as error:
        raise _build_damage_error(file, error) from error


def use_one_thread() -> None:
    """Let XGBoost use one thread; after a fork it would wait forever for those of its parent."""
    xgboost.set_config(nthread=1)


def read_attribute(booster: xgboost.Booster, name: str) -> str | None:
    """Return an attribute of a booster, or None if it has none of this name."""
    try:
        return booster.attr(name)
    except AssertionError:  # XGBoost expects that no attribute is empty
        return ""


def summarize_error(error: Exception) -> str:
    """Return the first line of an error, without the time, position and stack trace of XGBoost."""
    first_line = str(error).partition("\n")[0]
    return LOG_PREFIX.sub("", first_line).removeprefix("Check failed: ") or type(error).__name__


def _build_damage_error(file: ModelFile, error: Damaged) -> BadArtifact:
    return BadArtifact(f"{printable(file.path)} {error}: {COPY_AGAIN}")


def _read_content(file: ModelFile) -> bytes:
    """Return the bytes of a model file; raises BadArtifact and Damaged."""
    content = read_file(file.path, MAX_MODEL_BYTES)
    if file.checksum:
        check_content(file.path, content, file.checksum)
    if not file.is_sound:
        check_structure = check_levels if file.format == "JSON" else check_trees
        check_structure(content)
    return content


def _check_writer_version(file: ModelFile) -> None:
    """Raise BadArtifact for a model that a newer XGBoost wrote.

    This XGBoost would load such a model without an error, but might predict incorrectly.
    """
    runtime = tuple(map(int, xgboost.__version__.split(".")[:2]))
    if file.writer_version[:2] > runtime:
        writer = ".".join(map(str, file.writer_version))
        raise BadArtifact(
            f"{file.path} was written by XGBoost {writer}, "
            f"but this server has XGBoost {xgboost.__version__}, which may predict incorrectly: "
            f"save the model with XGBoost {runtime[0]}.{runtime[1]} or older, "
            "or set SERVE_ALLOW_NEWER_MODEL=true to load it anyway"
        )
