"""The lock files: pinned and hashed, without index URLs, with wheels for all platforms."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import ROOT

UV = Path(sys.executable).with_name("uv")
LOCKS = sorted(
    path.relative_to(ROOT)
    for folder in ("container", "tests", "model", "bench", "deploy")
    for path in (ROOT / folder).glob("requirements*.txt")
)
MACOS, ARM64_LINUX = "aarch64-apple-darwin", "aarch64-manylinux_2_28"
OPTIONS = ["--quiet", "--dry-run", "--no-deps", "--require-hashes", "--only-binary", ":all:"]


@pytest.mark.parametrize("lock", LOCKS, ids=str)
def test_locks_name_no_index(lock: Path) -> None:
    """A lock file pins and hashes packages; the package index comes from pip's configuration."""
    text = (ROOT / lock).read_text()

    assert "make lock" in text
    assert "--hash=sha256:" in text
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize(
    ("lock", "platform", "python"),
    [
        *((lock, MACOS, python) for lock in LOCKS for python in ("3.12", "3.13")),
        (Path("container", "requirements.txt"), ARM64_LINUX, "3.13"),
    ],
    ids=str,
)
def test_locks_resolve_on_other_platforms(
    tmp_path: Path, lock: Path, platform: str, python: str
) -> None:
    """Each package has a wheel for macOS 14 on arm64, and those of the image for arm64 Linux.

    Only metadata is downloaded, and nothing is installed.
    """
    target = tmp_path / "none"
    command = [str(UV), "pip", "install", *OPTIONS, "--target", str(target)]
    command += ["--python-platform", platform, "--python-version", python]
    outcome = subprocess.run(
        [*command, "--requirement", str(lock)],
        cwd=ROOT,
        env=os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert outcome.returncode == 0, outcome.stderr
    assert [path.name for path in target.iterdir()] == [".lock"]
