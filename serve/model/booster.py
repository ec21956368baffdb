"""Load a model file into an XGBoost booster."""

import re

import xgboost

from serve.errors import BadArtifact
from serve.model.artifact import ModelFile

# The time and source position that XGBoost's C++ code puts before a message.
LOG_PREFIX = re.compile(r"^\[\d\d:\d\d:\d\d\] \S+: ")


def read_booster(file: ModelFile, *, allow_newer: bool) -> xgboost.Booster:
    """Return the single-threaded booster of a model file.

    Raises BadArtifact if XGBoost cannot load the file. Also raises it if a newer XGBoost wrote the
    file, unless ``allow_newer`` is true.
    """
    if not allow_newer:
        _check_writer_version(file)
    try:
        # Use one thread, because OpenMP's threads do not survive the fork (dmlc/xgboost#8040).
        # Pass bytes, because XGBoost would guess the format of a path from its file extension.
        # They must not start with blanks.
        content = file.path.read_bytes().lstrip()
        return xgboost.Booster({"nthread": 1}, model_file=bytearray(content))
    except (xgboost.core.XGBoostError, UnicodeDecodeError) as error:
        # UnicodeDecodeError: XGBoost's message may quote bytes that are not UTF-8.
        raise BadArtifact(
            f"XGBoost {xgboost.__version__} cannot load {file.path} ({_summarize(error)}): "
            "the file may be damaged; save the model again"
        ) from error


def read_attribute(booster: xgboost.Booster, name: str) -> str | None:
    """Return an attribute of a booster, or None if it has none of this name."""
    try:
        return booster.attr(name)
    except AssertionError:  # XGBoost expects that no attribute is empty
        return ""


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


def _summarize(error: Exception) -> str:
    """Return the first line of an XGBoost error, without its time, position and stack trace."""
    return LOG_PREFIX.sub("", str(error).splitlines()[0]).removeprefix("Check failed: ")
