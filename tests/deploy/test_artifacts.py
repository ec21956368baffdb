"""Artifacts: which tarballs are accepted, and what their S3 key depends on."""

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
CORRUPT = "truncated or corrupt"


def tar(*more: tarfile.TarInfo) -> bytes:
    """Return the sample artifact as a tar, after the given members."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for member in more:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
        archive.add(ARTIFACT, arcname=".")
    return packed.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """Return a member of a tar."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def member_with_invalid_time() -> tarfile.TarInfo:
    """Return a member with a modification time that no file can have."""
    info = member("old.txt")
    info.mtime = 10**30
    return info


def corrupt_tarball() -> bytes:
    """Return a tar.gz with one wrong byte in the middle."""
    packed = bytearray(gzip.compress(tar(), 0))
    packed[len(packed) // 2] ^= 0xFF
    return bytes(packed)


INVALID: dict[str, tuple[Callable[[], bytes], str]] = {
    "uncompressed tar": (tar, "model.tar.gz: expected a tar.gz, got a file that is not gzip; "),
    "xz": (lambda: lzma.compress(tar(), preset=0), "not gzip"),
    "bz2": (lambda: bz2.compress(tar(), 1), "not gzip"),
    "empty file": (lambda: b"", "not gzip"),
    "gzip of other content": (lambda: gzip.compress(b"hello" * 1000), CORRUPT),
    "truncated in the middle": (lambda: gzip.compress(tar(), 1)[:20_000], CORRUPT),
    "truncated in the checksum": (lambda: gzip.compress(tar(), 1)[:-4], CORRUPT),
    "truncated tar": (lambda: gzip.compress(tar()[:20_000], 1), CORRUPT),
    "corrupt": (corrupt_tarball, CORRUPT),
    "invalid deflate stream": (lambda: gzip.compress(b"")[:10] + b"\xff" * 100, CORRUPT),
    "absolute path": (
        lambda: gzip.compress(tar(member("/etc/x")), 1),
        "/etc/x is outside the archive's root",
    ),
    "path with ..": (
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


@pytest.mark.parametrize("name", INVALID)
def test_invalid_tarballs(
    run: Run, write_config: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    """Anything but a complete tar.gz of files and folders is rejected, with the fix."""
    build, words = INVALID[name]
    (tmp_path / "model.tar.gz").write_bytes(build())
    outcome = run("plan", write_config({str(ARTIFACT): str(tmp_path / "model.tar.gz")}))

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert "model.tar.gz" in outcome.output
    assert "tar -czhf" in outcome.output
    assert len(outcome.output.splitlines()) == 1


def test_key_depends_on_content_only(
    run: Run, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    """The same tar compressed at another level and time has the same S3 key."""
    keys = set()
    for level in (1, 9):
        (tmp_path / "model.tar.gz").write_bytes(gzip.compress(tar(), level, mtime=level))
        outcome = run("plan", write_config({str(ARTIFACT): str(tmp_path / "model.tar.gz")}))
        keys |= set(re.findall(r"[0-9a-f]{64}/model.tar.gz", outcome.output))

    assert outcome.exit_code == 0, outcome.output
    assert len(keys) == 1


def test_invalid_times_are_ignored(
    run: Run, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    """Modification times in a tarball are ignored, even impossible ones."""
    (tmp_path / "model.tar.gz").write_bytes(gzip.compress(tar(member_with_invalid_time()), 1))
    outcome = run("plan", write_config({str(ARTIFACT): str(tmp_path / "model.tar.gz")}))

    assert outcome.exit_code == 0, outcome.output


def test_link_to_a_folder(run: Run, write_config: Callable[..., Path], tmp_path: Path) -> None:
    """A symbolic link to a folder is rejected, because the upload would lack its content."""
    shutil.copytree(ARTIFACT, tmp_path / "artifact")
    (tmp_path / "artifact" / "linked").symlink_to(tmp_path)

    assert (
        "symbolic links to folders are not packed"
        in run("plan", write_config({str(ARTIFACT): str(tmp_path / "artifact")})).output
    )
