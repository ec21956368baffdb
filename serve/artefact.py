"""Artefact: the files of a model folder.

Source: contract 4.1 to 4.9.
"""

import mmap
import re
from pathlib import Path

from serve.errors import BadArtefact
from serve.wording import listed

MODEL_NAMES = ("model.ubj", "model.json", "xgboost-model")
SCHEMA_NAME = "schema.json"

JSON_VERSION = re.compile(rb'"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]')
UBJSON_VERSION = re.compile(rb"version\[#L\0{7}\x03i(.)i(.)i(.)", re.DOTALL)
TAIL_BYTES = 4096


def find_model(folder: Path) -> Path:
    """Return the model's file; raises BadArtefact, which tells what is there instead."""
    if not folder.is_dir():
        raise BadArtefact(f"{folder} is no folder: put the model there, or name its folder in SM_MODEL_DIR")
    for name in MODEL_NAMES:
        if (folder / name).is_file():
            return folder / name
    present = sorted(path.name for path in folder.iterdir())
    raise BadArtefact(f"{folder} holds no {', '.join(MODEL_NAMES)}; it holds {listed(present) or 'nothing'}")


def writer_of(path: Path) -> tuple[int, ...]:
    """Return the version of the XGBoost that wrote a model, () where the file does not tell."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as model:
        tail = max(0, len(model) - TAIL_BYTES)
        if found := JSON_VERSION.search(model, tail) or JSON_VERSION.search(model):
            return tuple(map(int, found.groups()))
        if found := UBJSON_VERSION.search(model, tail):
            return tuple(number[0] for number in found.groups())
    return ()
