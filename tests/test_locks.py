"""The locks: no index's address, and wheels for both architectures and every supported Python."""

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
    """A lock pins and hashes, and leaves it to the machine where packages come from."""
    text = lock.read_text()

    assert "make lock" in text
    assert "--hash=sha256:" in text
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize("python", ["3.13"])
def test_the_images_lock_has_wheels_for_arm64(tmp_path: Path, python: str) -> None:
    """What cannot be built here can at least be resolved and downloaded: every wheel of the image, for aarch64."""
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
