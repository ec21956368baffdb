"""Artifacts: which tarballs are taken, and by what they are known."""

import bz2
import gzip
import io
import lzma
import re
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.support.server import ROOT

ARTIFACT = ROOT / "model" / "artifact"
CUT = "truncated or corrupt"


def tar(*more: tarfile.TarInfo) -> bytes:
    """Return the sample artifact as a tar, with further members before it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for member in more:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
        archive.add(ARTIFACT, arcname=".")
    return packed.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """Return a member of a tarball."""
    one = tarfile.TarInfo(name)
    one.type, one.linkname = kind, target
    return one


def from_long_ago() -> tarfile.TarInfo:
    """Return a member whose time no file can have."""
    one = member("old.txt")
    one.mtime = 10**30
    return one


def damaged() -> bytes:
    """Return a tar.gz of which a byte in the middle is another."""
    packed = bytearray(gzip.compress(tar(), 0))
    packed[len(packed) // 2] ^= 0xFF
    return bytes(packed)


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "a tar alone": (tar, "expected a tar.gz: "),
    "xz": (lambda: lzma.compress(tar(), preset=0), "not gzip"),
    "bz2": (lambda: bz2.compress(tar(), 1), "not gzip"),
    "nothing": (lambda: b"", "not gzip"),
    "gzip of something else": (lambda: gzip.compress(b"hello" * 1000), CUT),
    "cut in the middle": (lambda: gzip.compress(tar(), 1)[:20_000], CUT),
    "cut in the checksum": (lambda: gzip.compress(tar(), 1)[:-4], CUT),
    "cut before it was packed": (lambda: gzip.compress(tar()[:20_000], 1), CUT),
    "damaged": (damaged, CUT),
    "no stream": (lambda: gzip.compress(b"")[:10] + b"\xff" * 100, CUT),
    "absolute": (
        lambda: gzip.compress(tar(member("/etc/x")), 1),
        "/etc/x is outside the archive's root",
    ),
    "above": (
        lambda: gzip.compress(tar(member("a/../../x")), 1),
        "a/../../x is outside the archive's root",
    ),
    "link": (
        lambda: gzip.compress(tar(member("x", tarfile.SYMTYPE, "model.ubj")), 1),
        "expected only files and folders, got the link x",
    ),
    "hard link": (
        lambda: gzip.compress(tar(member("x", tarfile.LNKTYPE, "/etc/passwd")), 1),
        "expected only files and folders, got the link x",
    ),
    "device": (
        lambda: gzip.compress(tar(member("x", tarfile.CHRTYPE)), 1),
        "expected only files and folders, got the device x",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_tarballs_that_sagemaker_could_not_take(
    run: Run, write_config: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    """What is no whole tar.gz of files in their folder is refused in a line that says how to make one."""
    made, words = BAD[name]
    (tmp_path / "model.tar.gz").write_bytes(made())
    outcome = run("plan", write_config({str(ARTIFACT): str(tmp_path / "model.tar.gz")}))

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert "model.tar.gz" in outcome.output
    assert "tar -czhf" in outcome.output
    assert len(outcome.output.splitlines()) == 1


def test_known_by_its_content(run: Run, write_config: Callable[..., Path], tmp_path: Path) -> None:
    """The same tar packed by another gzip, at another time, is the same model; the tar of a folder is known likewise."""
    keys = set()
    for level in (1, 9):
        (tmp_path / "model.tar.gz").write_bytes(gzip.compress(tar(), level, mtime=level))
        outcome = run("plan", write_config({str(ARTIFACT): str(tmp_path / "model.tar.gz")}))
        keys |= set(re.findall(r"[0-9a-f]{64}/model.tar.gz", outcome.output))

    assert outcome.exit_code == 0, outcome.output
    assert len(keys) == 1


def test_times_that_no_file_can_have(
    run: Run, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    """The times in a tarball are no matter."""
    (tmp_path / "model.tar.gz").write_bytes(gzip.compress(tar(from_long_ago()), 1))
    outcome = run("plan", write_config({str(ARTIFACT): str(tmp_path / "model.tar.gz")}))

    assert outcome.exit_code == 0, outcome.output


def test_a_link_to_a_folder(run: Run, write_config: Callable[..., Path], tmp_path: Path) -> None:
    """A link to a folder, which would be missing in the upload, is refused."""
    shutil.copytree(ARTIFACT, tmp_path / "artifact")
    (tmp_path / "artifact" / "linked").symlink_to(tmp_path)

    assert (
        "symbolic links to folders are not packed"
        in run("plan", write_config({str(ARTIFACT): str(tmp_path / "artifact")})).output
    )
