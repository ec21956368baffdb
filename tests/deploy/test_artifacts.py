"""Artifacts: which tarballs are accepted, and what their S3 key depends on."""

import bz2
import gzip
import io
import lzma
import re
import tarfile
import tempfile
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


def member(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    """Return a member of a tar."""
    info = tarfile.TarInfo(name)
    info.type = kind
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
    "pipe": (
        lambda: gzip.compress(tar(member("x", tarfile.FIFOTYPE)), 1),
        "expected only files and folders, got the pipe x; remove it, and create one",
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


OLD_MODEL = (ROOT / "tests" / "support" / "old_models" / "1.7-xgboost-model").read_bytes()
MODEL, SCHEMA = (ARTIFACT / "model.ubj").read_bytes(), (ARTIFACT / "schema.json").read_bytes()
CONVERT = "to convert it, in a clone of xgb-endpoint, run: make convert MODEL=FOLDER/xgboost-model"
EXTRACT = ", after you extract the tar.gz into FOLDER"
# What the members of a tar.gz are, and the message about them.
MEMBERS: dict[str, tuple[dict[str, bytes], str]] = {
    "old model": (
        {"xgboost-model": OLD_MODEL},
        f"xgboost-model is in the binary format that XGBoost 3.1 removed: {CONVERT}{EXTRACT}",
    ),
    "archive": (
        {"a/model.tar.gz": gzip.compress(tar(), 1)},
        "a/model.tar.gz is an archive: extract it with tar -xf FOLDER/a/model.tar.gz -C FOLDER/a",
    ),
    "nothing": ({}, "the tar.gz contains no model"),
    "unknown file": ({"xgboost-model": b"hello"}, "xgboost-model: expected an XGBoost model in"),
    "truncated": ({"model.ubj": MODEL[:-9]}, "model.ubj is truncated: "),
    "schema": ({"model.ubj": MODEL, "schema.json": b"["}, "schema.json"),
    "schema in a folder": (
        {"a/model.ubj": MODEL, "a/Schema.json": b"["},
        "a/Schema.json: rename it to schema.json",
    ),
    "half a self-test": (
        {"model.ubj": MODEL, "schema.json": SCHEMA, "self-test/request.csv": b"1"},
        "self-test: expected one request.* and one expected.* file, found 1 and 0",
    ),
    "self-test": (
        {
            "model.ubj": MODEL,
            "schema.json": SCHEMA,
            "self-test/request.csv": b"1",
            "self-test/expected.csv": b"1",
        },
        "self-test failed: self-test/request.csv: row 1: expected ",
    ),
}


@pytest.mark.parametrize("kind", MEMBERS)
def test_messages_name_files_as_in_the_tarball(
    run: Run, write_config: Callable[..., Path], tmp_path: Path, kind: str
) -> None:
    """A message about a file in a tarball names the tarball and the member, no temporary folder."""
    files, message = MEMBERS[kind]
    write_tarball(tmp_path / "model.tar.gz", files)
    outcome = run("plan", write_config({str(ARTIFACT): str(tmp_path / "model.tar.gz")}))
    prefix = f"Error: model.artifact: {tmp_path}/model.tar.gz: the server would not start: "

    assert outcome.exit_code == 1
    assert outcome.output.startswith(f"{prefix}{message}")
    assert tempfile.gettempdir() not in outcome.output.removeprefix(prefix)


def test_warnings_of_the_server_are_printed(
    run: Run, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    """`plan` prints what the server warns about at startup."""
    files = {"model.ubj": MODEL, "schema.json": SCHEMA, "code/inference.py": b"import os"}
    write_tarball(tmp_path / "model.tar.gz", files)
    outcome = run("plan", write_config({str(ARTIFACT): str(tmp_path / "model.tar.gz")}))

    assert outcome.exit_code == 0
    assert 'warning: model.artifact: "code/inference.py": not run, ' in outcome.stderr


def write_tarball(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


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
