"""Model directories with files that cannot be read, or that never end: the server still starts."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.support.artifacts import MODEL
from tests.support.check import check, write_files
from tests.support.obstacles import OBSTACLES
from tests.support.server import running
from tests.support.unprivileged import USER, run_unprivileged


@pytest.mark.parametrize("kind", OBSTACLES)
def test_strays_do_not_prevent_startup(tmp_path: Path, kind: str) -> None:
    """4.4: A file that cannot be read is ignored beside a model, and reported with the reason."""
    create, reason = OBSTACLES[kind]
    create(write_files(tmp_path, {"model.ubj": MODEL}) / "stray.ubj")
    report = json.loads(check(tmp_path, "--json").output)

    assert reason in report["ignored_files"]["stray.ubj"]


@pytest.mark.parametrize("name", ["model.ubj", "schema.json", "self-test/request.csv"])
@pytest.mark.parametrize("kind", OBSTACLES)
def test_needed_files_are_named(tmp_path: Path, kind: str, name: str) -> None:
    """4.3: If a file of the artifact itself cannot be read, the message names it, with the fix."""
    others: dict[str, dict[str, bytes]] = {
        "model.ubj": {},
        "schema.json": {"model.ubj": MODEL},
        "self-test/request.csv": {"model.ubj": MODEL, "self-test/expected.csv": b"1\n"},
    }
    create, reason = OBSTACLES[kind]
    create(write_files(tmp_path, others[name]) / name)
    error = check(tmp_path).error

    assert f"cannot check: {tmp_path}/{name} " in error
    assert reason in error
    assert len(error.splitlines()) == 1


def test_a_linked_folder_is_named(tmp_path: Path) -> None:
    """If the model may be in a folder that is only linked, the message says what to replace."""
    model = write_files(tmp_path / "elsewhere", {"model.ubj": MODEL})
    folder = write_files(tmp_path / "artifact", {"README.md": b"text"})
    (folder / "current").symlink_to(model)

    assert (
        f"{folder}/current is a link to a directory, which is not followed: "
        "replace it with the directory itself"
    ) in check(folder).error


def test_ten_thousand_files_do_not_flood_the_log(tmp_path: Path) -> None:
    """The log and the report of a check list some of many ignored files, and their number."""
    write_files(tmp_path, {"model.ubj": MODEL, **{f"d/{n}.txt": b"text" for n in range(10_000)}})
    with running(tmp_path) as server:
        pass
    started = next(event for event in server.events() if event["event"] == "server started")

    assert max(map(len, "".join(server.output).splitlines())) < 4000
    assert started["ignored_file_count"] == 10_000
    assert len(started["ignored_files"]) == 20
    assert len(check(tmp_path).output.splitlines()) < 60


def test_a_sparse_file_of_a_terabyte_is_ignored(tmp_path: Path) -> None:
    """Only the first bytes of other files are read."""
    write_files(tmp_path, {"model.ubj": MODEL})
    with (tmp_path / "core").open("wb") as file:
        file.truncate(1 << 40)

    assert check(tmp_path).error == ""


@pytest.mark.parametrize("name", [b"a\xffb.ubj", b"a\nb.ubj", b"a\x1b[31mb.ubj", "ü\u202e.ubj"])
def test_any_name_is_served_and_reported(tmp_path: Path, name: bytes | str) -> None:
    """A name that is not UTF-8, or has control characters, works, for the model and for others."""
    path = os.path.join(os.fsencode(tmp_path), os.fsencode(name))  # noqa: PTH118 - bytes
    for content, error in ((MODEL, ""), (b"", "contains no model"), (MODEL[:-9], "is truncated")):
        with open(path, "wb") as file:  # noqa: PTH123 - bytes
            file.write(content)
        outcome = check(tmp_path)

        assert error in outcome.error or "is empty" in outcome.error
        assert len(outcome.error.splitlines()) <= 1
        assert (outcome.output == "") == bool(error)
        assert "\x1b" not in outcome.output + outcome.error


def test_deep_folders_are_searched(tmp_path: Path) -> None:
    """A model in the last of many nested folders is found."""
    folder = "d/" * 400
    write_files(tmp_path, {f"{folder}m.ubj": MODEL})

    assert check(tmp_path).error == ""


def test_files_without_permission(tmp_path: Path) -> None:
    """4.4: Files and folders that the server's user cannot read are ignored beside a model."""
    files = {"model.ubj": MODEL, "stray": b"x", "closed/b.ubj": b"x"}
    # Only root may enter tmp_path.
    folder = write_files(Path(tempfile.mkdtemp()), files)
    folder.chmod(0o755)
    try:
        (folder / "stray").chmod(0)
        (folder / "closed").chmod(0)
        ignored = json.loads(check_unprivileged(folder, "--json").stdout)["ignored_files"]
        (folder / "model.ubj").chmod(0)
        unreadable = check_unprivileged(folder)
        (folder / "model.ubj").unlink()
        (folder / "stray").unlink()
        closed_folder = check_unprivileged(folder)
        folder.chmod(0)
        closed = check_unprivileged(folder)
    finally:
        folder.chmod(0o700)
        (folder / "closed").chmod(0o700)
        shutil.rmtree(folder)

    assert ignored["stray"] == "not a model; it cannot be read: Permission denied"
    assert ignored["closed"] == "not a model; it is a directory that cannot be read"
    assert f"{folder}/model.ubj cannot be read: Permission denied: " in unreadable.stderr
    assert f"make it readable for user {USER}" in unreadable.stderr
    assert f"{folder}/closed is a directory that cannot be read: make it" in closed_folder.stderr
    assert f"{folder} cannot be read: Permission denied: " in closed.stderr
    for outcome in (unreadable, closed):
        assert len(outcome.stderr.splitlines()) == 1


def check_unprivileged(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command_line = ["check", *map(str, arguments)]
    return run_unprivileged("container.entrypoint", f"main({command_line!r})")


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("schema.json", b'{"features": ['),
        ("self-test/request.csv", b"1,2,3\n"),
        ("self-test/expected.csv", b"1\n"),
        ("model.ubj.sha256", b"0" * 64),
    ],
)
def test_huge_files_are_not_read(tmp_path: Path, name: str, start: bytes) -> None:
    """A file of 64 GiB in place of a small one is an error with both sizes, within a second."""
    self_test = {"self-test/request.csv": b"1,2,3\n", "self-test/expected.csv": b"1\n"}
    write_files(tmp_path, {"model.ubj": MODEL, **self_test, name: start})
    with (tmp_path / name).open("r+b") as file:
        file.truncate(64 << 30)

    assert f"{tmp_path}/{name} has 65,536 MiB, more than the limit of " in check(tmp_path).error


@pytest.mark.parametrize(
    ("kind", "reason"), [("pipe", "is a named pipe"), ("link to zeros", "is a device")]
)
@pytest.mark.parametrize("name", ["sample.csv", "model.ubj.sha256"])
def test_other_files_are_not_awaited(tmp_path: Path, kind: str, reason: str, name: str) -> None:
    """A pipe or a device as the sample payload, or as a checksum, is an error that names it."""
    create, _ = OBSTACLES[kind]
    write_files(tmp_path, {"model.ubj": MODEL})
    create(tmp_path / name)
    sample = [tmp_path / name] if name.endswith(".csv") else []
    error = check(tmp_path, *sample).error

    assert f"{tmp_path}/{name}" in error
    assert reason in error
