"""Sizing: how many workers fit the limits and the model."""

from dataclasses import dataclass

from container.limits import Limits
from serve.errors import BadArtifact
from serve.model.artifact import ModelFile
from serve.settings import Settings
from serve.text import counted

MIB = 1 << 20
# Measured: gunicorn, Flask and XGBoost loaded once, and what each worker adds, with a few MB of payload in flight.
BASE_BYTES = 100 * MIB
WORKER_BYTES = 60 * MIB


@dataclass(frozen=True, slots=True)
class Sizing:
    """How many workers there are, and why; the slices of a large payload are predicted by ``threads`` of its worker's."""

    workers: int
    threads: int
    memory_bytes: int
    reason: str


def size(file: ModelFile, limits: Limits, settings: Settings) -> Sizing:
    """Return the workers that the processors and the memory hold; raises BadArtifact if not even one fits."""
    spare = limits.memory_bytes - BASE_BYTES - file.memory_bytes
    if spare < WORKER_BYTES:
        needed = BASE_BYTES + file.memory_bytes + WORKER_BYTES
        raise BadArtifact(
            f"{file.path} needs about {needed // MIB:,} MiB once it is loaded, and {limits.memory_bytes // MIB:,} MiB may be used: "
            "take an instance with more memory"
            + (", or save the model as .ubj" if file.format == "JSON" else "")
        )
    threads = max(1, int(limits.processors))
    fitting = {"processors": threads, "memory": spare // WORKER_BYTES}
    strictest = min(fitting, key=lambda name: fitting[name])
    workers = settings.workers or fitting[strictest]
    reason = (
        "SAGEMAKER_MODEL_SERVER_WORKERS"
        if settings.workers
        else f"{limits.processors:g} processors and {limits.memory_bytes // MIB:,} MiB ({limits.source}); {strictest} decided"
    )
    return Sizing(
        workers,
        threads,
        BASE_BYTES + file.memory_bytes + workers * WORKER_BYTES,
        f"{counted(workers, 'worker')} by {reason}",
    )
