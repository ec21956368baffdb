"""macOS 14 on Apple silicon: every lock has wheels for it. Nothing is run there."""

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
OPTIONS = ["--quiet", "--dry-run", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
MACOS = {"MACOSX_DEPLOYMENT_TARGET": "14.0"}


@pytest.mark.parametrize("python", ["3.12", "3.13"])
@pytest.mark.parametrize("lock", LOCKS, ids=str)
def test_each_lock_resolves_on_macos(tmp_path: Path, lock: Path, python: str) -> None:
    """Each pinned package has a wheel for macOS 14 on arm64; resolving downloads metadata only."""
    command = [str(UV), "pip", "install", *OPTIONS, "--target", str(tmp_path / "none")]
    command += ["--python-platform", "aarch64-apple-darwin", "--python-version", python]
    outcome = subprocess.run(
        [*command, "--requirement", str(lock)],
        cwd=ROOT,
        env=os.environ | MACOS,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert outcome.returncode == 0, outcome.stderr
    assert [path.name for path in (tmp_path / "none").iterdir()] == [".lock"]
