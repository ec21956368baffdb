"""The original model, loaded by an XGBoost of its time in an environment of its own."""

import json
import subprocess
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.conversion.errors import CannotConvert
from model.conversion.original import Original

PROGRAM = Path(__file__).resolve().parent / "load_original.py"
# What XGBoost from 1.0 on begins a pickled booster with. It contains the parameters of training
# beside the model, so it is not in the format of a model file.
TRAINING_STATE = (b"{", b"CONFIG-offset:")


class OriginalModel:
    """The original model; ``python`` is that of an environment with an XGBoost that loads it.

    ``folder`` is a temporary directory for what is exchanged with that environment. A context
    manager: a process loads the model on entry, and ends on exit.
    """

    def __init__(self, original: Original, python: Path, folder: Path) -> None:
        self._command: list[str | Path] = [python, PROGRAM, folder]
        self._folder = folder
        self._errors = folder / "errors"
        (folder / "booster").write_bytes(original.booster)
        known = {
            key: value for key, value in asdict(original).items() if not isinstance(value, bytes)
        }
        known["has_training_state"] = original.booster.startswith(TRAINING_STATE)
        (folder / "original.json").write_text(json.dumps(known), encoding="utf-8")

    def __enter__(self) -> Self:
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def save(self) -> Path:
        """Return the path of the model as UBJSON; raises CannotConvert if it cannot be loaded."""
        self._run("save")
        return self._folder / "model.ubj"

    def predict(self, rows: NDArray[np.float32], rounds: int) -> NDArray[np.float32]:
        """Return the original's predictions; a Booster uses this number of rounds."""
        np.save(self._folder / "rows.npy", rows)
        self._run(f"predict {rounds}")
        predictions: NDArray[np.float32] = np.load(self._folder / "predictions.npy")
        return predictions

    def _run(self, command: str) -> None:
        """Run a command, after which the process prints an empty line."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        try:
            stdin.write(f"{command}\n".encode())
            stdin.flush()
        except BrokenPipeError:
            pass  # the process has ended, with the error in its file
        if stdout.readline():
            return
        exit_code = self._process.wait()
        lines = self._errors.read_text(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit code {exit_code}"
        raise CannotConvert(f"XGBoost cannot load it ({reason}): copy the file again")
