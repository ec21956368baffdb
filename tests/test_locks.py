"""The lock files: pinned and hashed, without index URLs, with wheels for all platforms."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import ROOT

LOCKS = sorted(
    path
    for folder in ("container", "tests", "model", "bench", "deploy")
    for path in (ROOT / folder).glob("*.txt")
)
PLATFORMS = ["manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: f"{lock.parent.name}-{lock.stem}")
def test_locks_name_no_index(lock: Path) -> None:
    """A lock file pins and hashes packages; the package index comes from pip's configuration."""
    text = lock.read_text()

    assert "make lock" in text
    assert "--hash=sha256:" in text
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize("python", ["3.13"])
def test_the_image_lock_has_wheels_for_arm64(tmp_path: Path, python: str) -> None:
    """All packages of the image can be resolved and downloaded as wheels for arm64 Linux."""
    platforms = [
        argument for platform in PLATFORMS for argument in ("--platform", f"{platform}_aarch64")
    ]
    options = [
        "--quiet",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--no-deps",
        "--python-version",
        python,
        *platforms,
    ]
    lock = ROOT / "container" / "requirements.txt"
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        *options,
        "--dest",
        str(tmp_path),
        "--requirement",
        str(lock),
    ]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    assert outcome.returncode == 0, outcome.stderr
    assert any(
        "xgboost_cpu" in wheel.name and "aarch64" in wheel.name for wheel in tmp_path.iterdir()
    )
    assert not any("x86_64" in wheel.name for wheel in tmp_path.iterdir())
