"""The virtual environments with the XGBoost versions that load older models.

They remain in a folder: only the first conversion waits for their installation.
"""

import fcntl
import hashlib
import re
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from model.conversion.errors import CannotConvert

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".venv-convert"
OLD_XGBOOST = ROOT / "model" / "requirements-convert.txt"
NEW_XGBOOST = ROOT / "model" / "requirements-convert-new.txt"
LAST_VERSION_WITH_BINARY_FORMAT = (3, 0)
# The booster in a pickle is UBJSON with its version. XGBoost 3.0 misreads UBJSON written by 3.1
# and later, without an error.
UBJSON_VERSION = re.compile(rb"version\[#L\0{7}\x03i(.)i(.)i(.)", re.DOTALL)


def choose_requirements(booster: bytes) -> Path:
    """Return the requirements of the environment that can load a model."""
    if read_writer_version(booster) > LAST_VERSION_WITH_BINARY_FORMAT:
        return NEW_XGBOOST
    return OLD_XGBOOST


def read_writer_version(booster: bytes) -> tuple[int, ...]:
    """Return the major and minor version of XGBoost that wrote UBJSON; () for other formats."""
    matches = UBJSON_VERSION.finditer(booster)
    versions = (tuple(number[0] for number in match.groups()[:2]) for match in matches)
    return max(versions, default=())


def prepare_environment(requirements: Path, folder: Path, report: Callable[[str], None]) -> Path:
    """Return the Python of an environment in a folder, which is installed if it is not there."""
    environment = folder / requirements.stem
    python, ready = environment / "bin" / "python", environment / "ready"
    contents = f"{sys.version}\n{hashlib.sha256(requirements.read_bytes()).hexdigest()}\n"
    with _lock(folder):
        if not (ready.exists() and ready.read_text(encoding="utf-8") == contents):
            report(
                f"Installing an XGBoost that can load it in {environment}, once; "
                "this can take a minute"
            )
            venv.create(environment, with_pip=False, clear=True)
            _install(python, requirements)
            ready.write_text(contents, encoding="utf-8")
    return python


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Wait until no other conversion installs an environment in the folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("w")
    except OSError as error:
        raise CannotConvert(
            f"cannot write to {folder} ({error.strerror}): name another folder with --environments"
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(python: Path, requirements: Path) -> None:
    # Installed with this environment's pip, which saves installing pip into the new one.
    command: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "install"]
    command += ["--quiet", "--disable-pip-version-check", "--no-compile", "--require-hashes"]
    command += ["--only-binary", ":all:", "--requirement", requirements]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode == 0:
        return
    lines = process.stderr.strip().splitlines() or [f"pip: exit code {process.returncode}"]
    reason = next((line for line in lines if line.startswith("ERROR")), lines[-1])
    raise CannotConvert(
        f"cannot install the packages in {requirements.name} ({reason}): "
        "a conversion needs access to PyPI"
    )
