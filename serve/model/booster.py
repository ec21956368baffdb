"""Booster: what XGBoost reads of a model's file, where it can be trusted to read it rightly."""

import re

import xgboost

from serve.errors import BadArtifact
from serve.model.artifact import ModelFile

CPLUSPLUS_PLACE = re.compile(r"^\[\d\d:\d\d:\d\d\] \S+: ")


def read_booster(file: ModelFile, *, allow_newer: bool) -> xgboost.Booster:
    """Return the booster of a model's file, for one thread, also of a newer XGBoost's if allowed; raises BadArtifact."""
    _check_writer(file, allow_newer=allow_newer)
    try:
        # One thread: OpenMP's threads do not survive the fork of the workers (dmlc/xgboost#8040).
        # By its bytes: by its name, XGBoost would guess the format of a file without a known ending.
        return xgboost.Booster({"nthread": 1}, model_file=bytearray(file.path.read_bytes()))
    except (
        xgboost.core.XGBoostError,
        UnicodeDecodeError,
    ) as error:  # its message may quote bytes that are no text
        raise BadArtifact(
            f"{file.path}: XGBoost {xgboost.__version__} cannot read it: {_reason(error)}"
        ) from error


def _check_writer(file: ModelFile, *, allow_newer: bool) -> None:
    """Refuse a model that a newer XGBoost wrote, which older ones load in silence and predict wrongly with."""
    runtime = tuple(map(int, xgboost.__version__.split(".")[:2]))
    if file.writer[:2] > runtime and not allow_newer:
        written = ".".join(map(str, file.writer))
        raise BadArtifact(
            f"{file.path} was written by XGBoost {written}, newer than the {xgboost.__version__} here, "
            f"which may predict wrongly with it: save it with XGBoost {runtime[0]}.{runtime[1]} or older, "
            "or set SERVE_ALLOW_NEWER_MODEL=true"
        )


def _reason(error: Exception) -> str:
    """Return the sentence of a message from XGBoost's C++ code, without the time, the place and the stack around it."""
    return CPLUSPLUS_PLACE.sub("", str(error).splitlines()[0]).removeprefix("Check failed: ")
