"""The number of workers, from the processor and memory limits of cgroups versions 1 and 2."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from container.limits import Limits, read_limits
from container.sizing import compute_sizing
from serve.model.artifact import find_model
from serve.settings import Settings
from tests.support.boosters import random_features, save_artifact, train
from tests.support.check import check
from tests.support.server import OWN_VARIABLES, running, startup_error

CGROUPS = Path("/sys/fs/cgroup")
BOOSTER = train(random_features(100, 2))
MIB = 1 << 20
PROCESSORS = len(os.sched_getaffinity(0))


def write_files(folder: Path, **files: str) -> Path:
    """Write files below a folder; in a name, ``__`` means a slash and ``_DOT_`` a dot."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return folder


@pytest.mark.parametrize(
    ("files", "own_cgroups", "processors", "memory_mib"),
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
        "v2 without limits",
        "v2 nested",
        "v1 in a container",
        "v1 without quota",
        "v1 without limit",
        "v1 nested",
        "no cgroups",
    ],
)
def test_strictest_cgroup_limit_applies(
    tmp_path: Path,
    files: dict[str, str],
    own_cgroups: str,
    processors: float,
    memory_mib: int | None,
) -> None:
    """The strictest limit of the process's cgroup, its ancestors and the machine applies."""
    folder = write_files(tmp_path / "cgroup", **files) if files else tmp_path / "nowhere"
    (tmp_path / "own").write_text(own_cgroups)
    limits = read_limits(folder, tmp_path / "own")
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    assert limits.processors == processors
    assert limits.memory_bytes == (memory_mib * MIB if memory_mib else machine)


@pytest.fixture
def real_cgroups() -> Iterator[dict[str, Path]]:
    """A cgroup with a CPU quota and one with a memory limit, if the test may create them."""
    cgroups = {name: CGROUPS / name / f"test-{os.getpid()}" for name in ("cpu", "memory")}
    try:
        for folder in cgroups.values():
            folder.mkdir()
        (cgroups["cpu"] / "cpu.cfs_quota_us").write_text("100000")
        (cgroups["memory"] / "memory.limit_in_bytes").write_text("400M")
    except OSError as error:
        # Only root can create a cgroup, on a machine with version 1. Elsewhere, the tests above
        # cover both versions, with files in place of cgroups.
        pytest.skip(f"cannot create cgroups of version 1: {error}")
    yield cgroups
    for folder in cgroups.values():
        folder.rmdir()


def test_server_under_real_limits(models: Path, real_cgroups: dict[str, Path]) -> None:
    """7.6: with a CPU quota of one processor and 400 MiB of memory, one worker serves."""
    inherited = [(CGROUPS / name / "tasks", os.getpid()) for name in ("cpu", "memory")]
    home = {
        line.split(":")[1]: line.split(":")[2]
        for line in Path("/proc/self/cgroup").read_text().splitlines()
    }
    for folder in real_cgroups.values():
        (folder / "tasks").write_text(str(os.getpid()))
    try:
        artifact = save_artifact(BOOSTER, models / "limited")
        with running(artifact, SAGEMAKER_MODEL_SERVER_WORKERS="0") as server:
            assert server.post("1,2").status_code == 200
    finally:
        for tasks, pid in inherited:
            (tasks.parent / home[tasks.parent.name].lstrip("/") / "tasks").write_text(str(pid))

    started = next(event for event in server.events() if event["event"] == "server started")
    assert (
        started["sizing"] == "1 worker, limited by processors "
        "(processors: 1, memory: 400 MiB; memory limit and CPU quota)"
    )


def test_model_too_large_for_memory_prevents_startup(
    tmp_path: Path, real_cgroups: dict[str, Path]
) -> None:
    """4.3 and 7.6: a model that exceeds the memory limit is rejected before it is loaded."""
    model = save_artifact(BOOSTER, tmp_path) / "model.ubj"
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
        line = startup_error(tmp_path)
    finally:
        (CGROUPS / "memory" / home["memory"].lstrip("/") / "tasks").write_text(str(os.getpid()))

    assert "the model needs about 1,760 MiB, but only 400 MiB is available" in line


def test_number_of_workers_can_be_set(models: Path) -> None:
    """8.4: SAGEMAKER_MODEL_SERVER_WORKERS overrides the limits."""
    with running(
        save_artifact(BOOSTER, models / "set"), SAGEMAKER_MODEL_SERVER_WORKERS="3"
    ) as server:
        pass
    started = next(event for event in server.events() if event["event"] == "server started")

    assert started["sizing"] == "3 workers, set by SAGEMAKER_MODEL_SERVER_WORKERS"
    assert json.dumps(started).count("\n") == 0
    assert "SAGEMAKER_" in OWN_VARIABLES


@pytest.mark.parametrize(("memory_mib", "response_mib"), [(300, 64), (800, 145), (8_000, 512)])
def test_response_limit_depends_on_memory(
    tmp_path: Path, memory_mib: int, response_mib: int
) -> None:
    """A response may take half of a worker's share of the memory, from 64 to 512 MiB."""
    file = find_model(save_artifact(BOOSTER, tmp_path), ensemble=None)
    sizing = compute_sizing(file, Limits(2, memory_mib * MIB, "memory limit"), Settings())

    assert sizing.response_bytes // MIB == pytest.approx(response_mib, abs=1)


def test_workers_that_exceed_the_memory(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """7.6: more workers than the memory is sufficient for cause a warning with the maximum."""
    folder = save_artifact(BOOSTER, models / "too many")
    memory_mib = read_limits().memory_bytes // MIB
    for workers in (1, 1024):
        monkeypatch.setenv("SAGEMAKER_MODEL_SERVER_WORKERS", str(workers))
        report = json.loads(check(folder, "--json").output)
        warnings = [warning for warning in report["warnings"] if "workers" in warning]
        if report["memory_forecast_mib"] <= memory_mib:
            assert warnings == []
            continue
        [warning] = warnings

        assert warning.startswith(f"1,024 workers may need {report['memory_forecast_mib']:,} MiB")
        assert f"but only {memory_mib:,} MiB is available" in warning
        maximum = int(re.findall(r"at most ([\d,]+)", warning)[0].replace(",", ""))
        monkeypatch.setenv("SAGEMAKER_MODEL_SERVER_WORKERS", str(maximum))
        assert "at most" not in check(folder).output
        monkeypatch.setenv("SAGEMAKER_MODEL_SERVER_WORKERS", str(maximum + 1))
        assert "at most" in check(folder).output
