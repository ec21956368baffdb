"""The number of workers that the container's limits allow for a model."""

from dataclasses import dataclass

from container.limits import Limits
from serve.errors import BadArtifact
from serve.http.held_bytes import BYTES_PER_PAYLOAD_BYTE
from serve.model.artifact import ModelFile
from serve.settings import DEFAULT_MAX_RESPONSE_MIB, MIB, Settings
from serve.text import counted

# Measured: gunicorn, Flask and XGBoost loaded once.
BASE_BYTES = 100 * MIB
# Measured: what each worker adds, with payloads of a few MB in flight.
WORKER_BYTES = 60 * MIB
# Every worker must be able to hold a payload of batch transform's default size, 6 MB.
MIN_HELD_BYTES = 8 * MIB
# The remaining half of a worker's memory is for the response. 100 MiB of rows as short as "1,2,3"
# have a response of 290 MB of JSON.
MIN_RESPONSE_BYTES, MAX_RESPONSE_BYTES = 64 * MIB, DEFAULT_MAX_RESPONSE_MIB * MIB


@dataclass(frozen=True, slots=True)
class Sizing:
    """The number of workers, the reason for it, and the memory that all of them need.

    Each worker predicts the slices of a large payload on ``threads`` threads, and holds payloads of
    at most ``held_bytes`` in total. A response may have ``response_bytes``.
    ``warning`` is empty unless the memory is too small for the workers that the settings require.
    """

    workers: int
    threads: int
    memory_bytes: int
    held_bytes: int
    response_bytes: int
    reason: str
    warning: str = ""


def compute_sizing(file: ModelFile, limits: Limits, settings: Settings) -> Sizing:
    """Return as many workers as the settings require, or as processors and memory allow.

    Raises BadArtifact if there is not enough memory for one worker.
    """
    spare_bytes = limits.memory_bytes - BASE_BYTES - file.memory_bytes
    if spare_bytes < WORKER_BYTES:
        raise _build_memory_error(file, limits)
    threads = max(1, int(limits.processors))
    max_workers = {"processors": threads, "memory": spare_bytes // WORKER_BYTES}
    limiting = min(max_workers, key=lambda resource: max_workers[resource])
    workers = settings.workers or max_workers[limiting]
    if settings.workers:
        reason = "set by SAGEMAKER_MODEL_SERVER_WORKERS"
    else:
        reason = (
            f"limited by {limiting} (processors: {limits.processors:g}, "
            f"memory: {limits.memory_bytes // MIB:,} MiB; {limits.source})"
        )
    memory_bytes = BASE_BYTES + file.memory_bytes + workers * WORKER_BYTES
    share_bytes = (limits.memory_bytes - memory_bytes) // workers
    return Sizing(
        workers,
        threads,
        memory_bytes,
        max(MIN_HELD_BYTES, share_bytes // BYTES_PER_PAYLOAD_BYTE),
        min(MAX_RESPONSE_BYTES, max(MIN_RESPONSE_BYTES, share_bytes // 2)),
        f"{counted(workers, 'worker')}, {reason}",
        _find_memory_warning(workers, memory_bytes, max_workers["memory"], limits),
    )


def _find_memory_warning(workers: int, memory_bytes: int, max_workers: int, limits: Limits) -> str:
    """Return a warning if the workers may need more memory than there is, otherwise ""."""
    if memory_bytes <= limits.memory_bytes:
        return ""
    return (
        f"{counted(workers, 'worker')} may need {memory_bytes // MIB:,} MiB, but only "
        f"{limits.memory_bytes // MIB:,} MiB is available: set SAGEMAKER_MODEL_SERVER_WORKERS to "
        f"at most {max_workers:,}, or unset it"
    )


def _build_memory_error(file: ModelFile, limits: Limits) -> BadArtifact:
    needed_mib = (BASE_BYTES + file.memory_bytes + WORKER_BYTES) // MIB
    message = (
        f"{file.path}: not enough memory: the model needs about {needed_mib:,} MiB, "
        f"but only {limits.memory_bytes // MIB:,} MiB is available; "
        "use an instance with more memory"
    )
    if file.format == "JSON":
        message += ", or save the model as .ubj"
    return BadArtifact(message)
