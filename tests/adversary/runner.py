"""Runner: spread the blocks of an attack over processes, within a time or a number of payloads."""

import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import count

from tests.adversary.attack import Tally, attack_block
from tests.adversary.generator import BLOCK, choose_model
from tests.adversary.models import Model
from tests.support.server import Server

QUEUED_PER_PROCESS = 3
MAX_FINDINGS = 1000


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop: after this many seconds, or this many payloads."""

    seconds: float
    payloads: int | None = None


def run(
    seed: int,
    budget: Budget,
    names: Sequence[str],
    models: Mapping[str, Model],
    servers: Mapping[str, Server],
) -> Tally:
    """Return the outcomes of all payloads that the budget allows.

    ``names`` are the names of all recipes, which a block's model is chosen from; the blocks of
    models that are not served are skipped.
    """
    tally = Tally()
    blocks = _list_blocks(seed, names, models, budget.payloads)
    deadline = time.monotonic() + budget.seconds
    processes = os.cpu_count() or 1
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        pending: set[Future[Tally]] = set()
        for block, name in blocks:
            if time.monotonic() > deadline or len(tally.findings) > MAX_FINDINGS:
                break
            address = servers[name].address
            pending.add(pool.submit(attack_block, seed, block, models[name], address))
            if len(pending) >= processes * QUEUED_PER_PROCESS:
                pending = _collect(pending, tally)
        while pending:
            pending = _collect(pending, tally)
    return tally


def _list_blocks(
    seed: int, names: Sequence[str], served: Mapping[str, Model], payloads: int | None
) -> Iterator[tuple[int, str]]:
    """Yield the blocks of the models that are served, up to a number of payloads."""
    blocks_left = -1 if payloads is None else -(-payloads // BLOCK)
    for block in count():
        name = choose_model(seed, block, names)
        if blocks_left == 0:
            return
        if name in served:
            blocks_left -= 1
            yield block, name


def _collect(pending: set[Future[Tally]], tally: Tally) -> set[Future[Tally]]:
    """Add the outcomes of finished blocks to the tally; return the others."""
    finished, others = wait(pending, return_when=FIRST_COMPLETED)
    for future in finished:
        tally.add(future.result())
    return others
