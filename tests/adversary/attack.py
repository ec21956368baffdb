"""Attack: send the payloads of a block over several connections, and judge the responses."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np

from tests.adversary.connection import Connection, NoReply, Reply
from tests.adversary.expected import Outputs, select_rows
from tests.adversary.generator import BLOCK, generate
from tests.adversary.judge import FINDING, Judge, Verdict
from tests.adversary.models import Model
from tests.adversary.payloads import Payload

CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """A payload whose response is wrong."""

    index: int
    model: str
    payload: Payload
    reason: str


@dataclass(slots=True)
class Tally:
    """The outcomes of some payloads: how many by form and outcome, and the findings."""

    payloads: Counter[tuple[str, str]] = field(default_factory=Counter)
    mutations: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.payloads += other.payloads
        self.mutations += other.mutations
        self.rows += other.rows
        self.statuses += other.statuses
        self.findings += other.findings

    def count(self, index: int, model: str, payload: Payload, verdict: Verdict) -> None:
        self.rows += verdict.rows
        counter = self.mutations if payload.mutation else self.payloads
        counter[payload.form, verdict.outcome] += 1
        if verdict.outcome == FINDING:
            self.findings.append(Finding(index, model, payload, verdict.reason))


# The judges of this process by model; each loads its boosters once.
JUDGES: dict[str, Judge] = {}


def attack_block(seed: int, block: int, model: Model, address: tuple[str, int]) -> Tally:
    """Return the outcomes of the payloads of a block."""
    return attack(seed, range(block * BLOCK, (block + 1) * BLOCK), model, address)


def attack(seed: int, indices: Sequence[int], model: Model, address: tuple[str, int]) -> Tally:
    """Return the outcomes of the payloads with these indices."""
    judge = JUDGES.setdefault(model.name, Judge(model))
    payloads = [generate(seed, index, model) for index in indices]
    expected = _predict(judge, payloads)
    tally = Tally()
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(*address)) for _ in range(CONNECTIONS)]
        replies = _exchange(connections, payloads)
        for index, payload, outputs, reply in zip(
            indices, payloads, expected, replies, strict=True
        ):
            if isinstance(reply, NoReply):
                verdict = Verdict(FINDING, reason=str(reply))
            else:
                verdict = judge.judge(payload, outputs, reply)
                tally.statuses[reply.status] += 1
            tally.count(index, model.name, payload, verdict)
    return tally


def _predict(judge: Judge, payloads: Sequence[Payload]) -> list[Outputs | None]:
    """Return the outputs of the payloads whose records are known, all predicted in one call."""
    known = [payload.features for payload in payloads if payload.features is not None]
    if not known:
        return [None] * len(payloads)
    outputs = judge.predict(np.concatenate(known))
    selected: list[Outputs | None] = []
    start = 0
    for payload in payloads:
        if payload.features is None:
            selected.append(None)
            continue
        end = start + len(payload.features)
        selected.append(select_rows(outputs, start, end))
        start = end
    return selected


def _exchange(
    connections: Sequence[Connection], payloads: Sequence[Payload]
) -> Iterator[Reply | NoReply]:
    """Yield the response to each payload; several requests are in flight at a time."""
    for start in range(0, len(payloads), len(connections)):
        group = list(zip(connections, payloads[start:], strict=False))
        for connection, payload in group:
            connection.send(payload)
        for connection, _ in group:
            try:
                yield connection.receive()
            except NoReply as error:
                yield error
