"""Load and test a model in a child process first, because a damaged one can end the process.

XGBoost trusts the numbers in a model file. Those of a damaged file may make it read outside of its
memory, wait forever, or fill the memory. In a child process this becomes one line for the operator.
"""

import faulthandler
import os
import resource
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from container.limits import Limits
from serve.errors import BadArtifact, StartupError
from serve.model.artifact import ModelFile
from serve.model.booster import COPY_AGAIN, check_file, use_one_thread
from serve.model.kernel.extension import OFF
from serve.model.model import load_model
from serve.self_test import run_self_test
from serve.settings import MIB, Settings
from serve.text import printable

# Loading takes less than a second per 100 MiB, and JSON ten times as long.
MIN_SECONDS, SECONDS_PER_MIB = 20, 1
OWN_MEMORY = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a child process ended: with an error's message, by a signal, or after all of its task."""

    message: str = ""
    signal: int = 0
    is_complete: bool = False


def try_model(settings: Settings, file: ModelFile, limits: Limits) -> ModelFile:
    """Load a model and run its self-test in a child process, unless it has checksums.

    Return the file, marked as sound if it was tried. Raises BadArtifact if loading or testing it
    fails, or ends the process.
    """
    if all(member.checksum for member in file.members):
        return file
    settings = replace(settings, kernel=OFF)  # XGBoost may crash; the kernel only takes time
    outcome = _try_files(settings, file, limits)
    if outcome.message:
        raise BadArtifact(outcome.message)
    if outcome.signal:
        culprit = _find_culprit(settings, file, limits)
        raise BadArtifact(f"{printable(culprit.path)}: {_describe(outcome.signal, culprit)}")
    others = tuple(replace(member, is_sound=outcome.is_complete) for member in file.other_members)
    return replace(file, is_sound=outcome.is_complete, other_members=others)


def _try_files(settings: Settings, file: ModelFile, limits: Limits) -> _Outcome:
    """Load a file in a child process, while this one checks the structure of UBJSON."""
    ours = [member for member in file.members if member.format == "UBJSON"]
    marked = [replace(member, is_sound=member in ours) for member in file.members]
    tried = replace(marked[0], other_members=tuple(marked[1:]))

    def load_and_test() -> None:
        try:
            run_self_test(load_model(settings, tried))
        except MemoryError as error:
            raise BadArtifact(
                f"{printable(file.path)}: the model needs more memory than the "
                f"{limits.memory_bytes // MIB:,} MiB available: use an instance with more; "
                f"if the file is damaged, {COPY_AGAIN}"
            ) from error

    def check_structure() -> None:
        for member in ours:
            check_file(member)

    seconds = _count_seconds(file)
    return _run_in_child(load_and_test, check_structure, seconds, limits.memory_bytes)


def _find_culprit(settings: Settings, file: ModelFile, limits: Limits) -> ModelFile:
    """Return the member of an ensemble that ends a process by itself, by default the first."""
    for member in file.members:
        alone = replace(member, other_members=(), self_test=None)
        if _try_files(settings, alone, limits).signal:
            return member
    return file


def _count_seconds(file: ModelFile) -> int:
    size = sum(member.path.stat().st_size for member in file.members)
    return MIN_SECONDS + SECONDS_PER_MIB * size // MIB


def _describe(number: int, file: ModelFile) -> str:
    """Return what a signal says about a file, and what to do."""
    if number == signal.SIGALRM:
        return (
            f"loading and testing the model takes more than {_count_seconds(file)} s: "
            f"the file is damaged: {COPY_AGAIN}"
        )
    if number == signal.SIGKILL:
        return (
            "the process that loads the model was killed, such as for lack of memory: "
            f"use an instance with more memory; if the file is damaged, {COPY_AGAIN}"
        )
    return (
        f"XGBoost ends with {signal.Signals(number).name} when it loads the model or predicts with "
        f"it: the file is damaged: {COPY_AGAIN}"
    )


def _run_in_child(
    task: Callable[[], object], meanwhile: Callable[[], object], seconds: int, memory_bytes: int
) -> _Outcome:
    """Run a task in a child process, which ends after some seconds by SIGALRM.

    This process runs the task ``meanwhile``; if that fails, the child is killed.
    """
    reading, writing = os.pipe()
    try:
        with warnings.catch_warnings():
            # Python warns of a fork beside threads, which may hold locks; the alarm ends a wait.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
    except OSError:  # no more processes: the server itself cannot start workers
        os.close(reading)
        os.close(writing)
        return _Outcome()
    if not child:
        _run_and_exit(task, writing, seconds, memory_bytes)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        try:
            meanwhile()
            message = pipe.read().decode(errors="replace")
        except BaseException:
            os.kill(child, signal.SIGKILL)
            raise
        finally:
            _, status = os.waitpid(child, 0)
    return _Outcome(message, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, status == 0)


def _run_and_exit(
    task: Callable[[], object], writing: int, seconds: int, memory_bytes: int
) -> None:
    """Run a task in this child process, write the message of its error to the pipe, and exit."""
    exit_code = 1
    try:
        _limit(seconds, memory_bytes)
        use_one_thread()
        task()
        exit_code = 0
    except StartupError as error:
        os.write(writing, str(error).encode(errors="backslashreplace"))
    except BaseException:  # noqa: BLE001, S110 - the parent process meets the same error
        pass
    finally:
        os._exit(exit_code)  # without the parent's exit handlers and buffers


def _limit(seconds: int, memory_bytes: int) -> None:
    """Limit the time and the memory of this process, print nothing, and write no core dump."""
    for number in (signal.SIGALRM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.alarm(seconds)
    faulthandler.disable()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in (sys.__stdout__, sys.__stderr__):
        if output:
            os.dup2(nowhere, output.fileno())
    with suppress(ValueError, OSError):  # not on every system
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        pages = int(OWN_MEMORY.read_text(encoding="ascii").split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
