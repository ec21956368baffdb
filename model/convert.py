"""Rewrites a model that today's XGBoost refuses, binary or a trusted pickle, as .ubj, and proves that it predicts the same.

Usage: convert.py FILE [--trust-pickle]

A throw-away environment holds the XGBoost that reads the file; unpickling can run any code, so it must be asked for.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np
import xgboost

HERE = Path(__file__).resolve().parent
OLD, NEW = HERE / "requirements-convert.txt", HERE / "requirements-convert-new.txt"
# A pickle holds the model as UBJSON, whose version tells which XGBoost reads it: 3.0 misreads those of 3.1 and later in silence.
VERSION = re.compile(rb"version\[#L\0{7}\x03i(.)i(.)i(.)", re.DOTALL)
LAST_TO_READ_BINARY = (3, 0)
TOLERANCE = 1e-6


def main() -> None:
    """Convert one file; exits 1 if it cannot be read or predicts otherwise than before."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--trust-pickle", action="store_true")
    arguments = parser.parse_args()
    if not arguments.file.is_file():
        sys.exit(f"{arguments.file}: no such file; make convert MODEL=path/to/file")
    content = arguments.file.read_bytes()
    if content.lstrip()[:1] == b"{":
        sys.exit(f"{arguments.file} is JSON or UBJSON already: there is nothing to convert")
    is_pickle = content[:1] == b"\x80"
    if is_pickle and not arguments.trust_pickle:
        sys.exit(
            f"{arguments.file} is a pickle, which can run any code when it is read: if you trust it, add TRUST=yes"
        )
    if writer_of(content) > tuple(map(int, xgboost.__version__.split(".")[:2])):
        sys.exit(
            f"{arguments.file} was written by a newer XGBoost than the {xgboost.__version__} here: use a newer Python (PYTHON=...)"
        )
    target = arguments.file.with_name(f"{arguments.file.name.removesuffix('.pkl')}.ubj")
    with tempfile.TemporaryDirectory() as folder:
        proof = Path(folder) / "proof.npz"
        convert(arguments.file, target, proof, requirements_for(content), Path(folder) / "venv")
        difference = largest_difference(target, proof)
    if not difference <= TOLERANCE:
        target.unlink()
        sys.exit(
            f"XGBoost {xgboost.__version__} predicts otherwise with the converted model (by {difference:g}): it was removed"
        )
    print(
        f"Wrote {target}: on 1,000 random rows it predicts the same as {arguments.file} (largest difference {difference:g})"
    )
    print(
        f"To serve it, put it as model.ubj into a folder without {arguments.file.name}, since two models are refused"
    )


def requirements_for(content: bytes) -> Path:
    """Return the lock of the environment that reads a model."""
    return NEW if writer_of(content) > LAST_TO_READ_BINARY else OLD


def writer_of(content: bytes) -> tuple[int, ...]:
    """Return the major and minor version of the XGBoost whose model a pickle holds; () for other files."""
    return max(
        (tuple(number[0] for number in found.groups()[:2]) for found in VERSION.finditer(content)),
        default=(),
    )


def convert(source: Path, target: Path, proof: Path, requirements: Path, environment: Path) -> None:
    """Read the model in an environment of its own, write it as .ubj, and its predictions for random rows beside."""
    print(f"Setting up a throw-away environment from {requirements.name}")
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    pip = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "--only-binary",
        ":all:",
    ]
    subprocess.run([*pip, "--requirement", requirements], check=True)
    if subprocess.run(
        [python, HERE / "read_old.py", source, target, proof], check=False
    ).returncode:
        sys.exit(f"{source}: neither a model in XGBoost's binary format nor a pickle of one")


def largest_difference(target: Path, proof: Path) -> float:
    """Return how much, relatively, this XGBoost's predictions with the converted model differ from those before."""
    before = np.load(proof)
    booster = xgboost.Booster(model_file=target)
    rows = xgboost.DMatrix(before["rows"], feature_types=booster.feature_types)
    after = booster.predict(rows, validate_features=False)
    return float(
        np.max(np.abs(after - before["predictions"]) / np.maximum(1, np.abs(before["predictions"])))
    )


if __name__ == "__main__":
    main()
