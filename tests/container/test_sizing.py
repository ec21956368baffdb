"""Right-sized by itself: processors and memory from the cgroup's files, of both versions, and none."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from container.limits import read_limits
from tests.support.boosters import numbers, saved, train
from tests.support.server import OWN_VARIABLES, refusal, running

CGROUPS = Path("/sys/fs/cgroup")
BOOSTER = train(numbers(100, 2))
MIB = 1 << 20
PROCESSORS = len(os.sched_getaffinity(0))


def tree(folder: Path, **files: str) -> Path:
    """Write files below a folder; two underscores in a name stand for a slash, and one before an ending for a dot."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return folder


@pytest.mark.parametrize(
    ("files", "own", "processors", "mebibytes"),
    [
        ({"cpu_DOT_max": "50000 100000", "memory_DOT_max": str(512 * MIB)}, "0::/", 0.5, 512),
        ({"cpu_DOT_max": "max 100000", "memory_DOT_max": "max"}, "0::/", PROCESSORS, None),
        (
            {
                "a__b__cpu_DOT_max": "max 100000",
                "a__cpu_DOT_max": "25000 100000",
                "a__b__memory_DOT_max": str(300 * MIB),
            },
            "0::/a/b",
            0.25,
            300,
        ),
        (
            {
                "cpu__cpu_DOT_cfs_quota_us": "75000",
                "cpu__cpu_DOT_cfs_period_us": "100000",
                "memory__memory_DOT_limit_in_bytes": str(256 * MIB),
            },
            "4:memory:/docker/unseen\n1:cpu:/docker/unseen",
            0.75,
            256,
        ),
        (
            {"cpu__cpu_DOT_cfs_quota_us": "-1", "cpu__cpu_DOT_cfs_period_us": "100000"},
            "1:cpu:/",
            PROCESSORS,
            None,
        ),
        (
            {"memory__memory_DOT_limit_in_bytes": "9223372036854771712"},
            "4:memory:/",
            PROCESSORS,
            None,
        ),
        (
            {
                "memory__job__memory_DOT_limit_in_bytes": str(128 * MIB),
                "memory__memory_DOT_limit_in_bytes": str(256 * MIB),
            },
            "4:memory:/job",
            PROCESSORS,
            128,
        ),
        ({}, "", PROCESSORS, None),
    ],
    ids=[
        "v2",
        "v2 without",
        "v2 nested",
        "v1 in a container",
        "v1 without quota",
        "v1 without limit",
        "v1 nested",
        "none",
    ],
)
def test_limits_of_cgroups(
    tmp_path: Path, files: dict[str, str], own: str, processors: float, mebibytes: int | None
) -> None:
    """The strictest of the own cgroup's, its parents' and the machine's limits count."""
    folder = tree(tmp_path / "cgroup", **files) if files else tmp_path / "nowhere"
    (tmp_path / "own").write_text(own)
    limits = read_limits(folder, tmp_path / "own")
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    assert limits.processors == processors
    assert limits.memory_bytes == (mebibytes * MIB if mebibytes else machine)


@pytest.fixture
def real_cgroups() -> Iterator[dict[str, Path]]:
    """A cgroup with a quota and one with a limit, where this machine lets a test make them."""
    made = {name: CGROUPS / name / f"test-{os.getpid()}" for name in ("cpu", "memory")}
    try:
        for folder in made.values():
            folder.mkdir()
        (made["cpu"] / "cpu.cfs_quota_us").write_text("100000")
        (made["memory"] / "memory.limit_in_bytes").write_text("400M")
    except OSError as error:
        # Only root on a machine with version 1 may make them; the files of both versions are read in the tests above, everywhere.
        pytest.skip(f"no cgroups of version 1 can be made here: {error}")
    yield made
    for folder in made.values():
        folder.rmdir()


def test_a_server_under_real_limits(models: Path, real_cgroups: dict[str, Path]) -> None:
    """7.6: under a quota of one processor and a limit of 400 MiB one worker serves."""
    inherited = [(CGROUPS / name / "tasks", os.getpid()) for name in ("cpu", "memory")]
    home = {
        line.split(":")[1]: line.split(":")[2]
        for line in Path("/proc/self/cgroup").read_text().splitlines()
    }
    for folder in real_cgroups.values():
        (folder / "tasks").write_text(str(os.getpid()))
    try:
        with running(saved(BOOSTER, models / "limited")) as server:
            assert server.post("1,2").status_code == 200
    finally:
        for tasks, pid in inherited:
            (tasks.parent / home[tasks.parent.name].lstrip("/") / "tasks").write_text(str(pid))

    started = next(event for event in server.events() if event["event"] == "server started")
    assert (
        started["sizing"] == "1 worker, limited by processors "
        "(processors: 1, memory: 400 MiB; memory limit and CPU quota)"
    )


def test_a_model_that_cannot_fit_is_refused(tmp_path: Path, real_cgroups: dict[str, Path]) -> None:
    """4.3 and 7.6: a model larger than the memory limit is refused before it is read."""
    model = saved(BOOSTER, tmp_path) / "model.ubj"
    content = model.read_bytes()
    tail = content[content.rindex(b"L\0\0\0\0\0\0\0\x07version") :]
    with model.open("r+b") as file:
        file.truncate(200 * MIB)
        file.seek(0, os.SEEK_END)
        file.write(tail)
    home = {
        line.split(":")[1]: line.split(":")[2]
        for line in Path("/proc/self/cgroup").read_text().splitlines()
    }
    (real_cgroups["memory"] / "tasks").write_text(str(os.getpid()))
    try:
        line = refusal(tmp_path)
    finally:
        (CGROUPS / "memory" / home["memory"].lstrip("/") / "tasks").write_text(str(os.getpid()))

    assert "the model needs about 960 MiB, but only 400 MiB are available" in line


def test_the_number_of_workers_can_be_set(models: Path) -> None:
    """8.4: SAGEMAKER_MODEL_SERVER_WORKERS goes before what was found."""
    with running(saved(BOOSTER, models / "set"), SAGEMAKER_MODEL_SERVER_WORKERS="3") as server:
        pass
    started = next(event for event in server.events() if event["event"] == "server started")

    assert started["sizing"] == "3 workers, set by SAGEMAKER_MODEL_SERVER_WORKERS"
    assert json.dumps(started).count("\n") == 0
    assert "SAGEMAKER_" in OWN_VARIABLES
