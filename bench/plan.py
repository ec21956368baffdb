"""The plan of a run: which server gets which workload, on which model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.servers import HELLO_WORLDS, PEERS, SERVERS
from bench.servers.spec import CSV, JSON

ASGI, FLASK = "ours, asgi", "ours, flask"
HELLO_ASGI, HELLO_FLASK = (server.name for server in HELLO_WORLDS)
KSERVE, SAMPLE = "KServe", "pandas sample"
ALL_PEERS = tuple(server.name for server in PEERS)


@dataclass(frozen=True, slots=True, order=True)
class Workload:
    """A kind of load: the model, the rows and media type of a request, and the connections."""

    model: str
    rows: int
    media_type: str
    connections: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one run.

    Attributes:
        rounds: how often each workload is measured.
        seconds: duration of a measurement, by the rows of a request.
        workloads: the workloads of each server.
        only_if_installed: servers to skip unless their virtual environment exists.
        max_minutes: time limit of all rounds together.
    """

    rounds: int
    seconds: dict[int, int]
    workloads: dict[str, tuple[Workload, ...]]
    only_if_installed: frozenset[str]
    max_minutes: float


# Model, rows, connections, and the servers to measure.
Entry = tuple[str, int, int, Sequence[str]]

# Each server gets its preferred media type: CSV if it accepts CSV, else JSON.
FULL: tuple[Entry, ...] = (
    *((model, 1, 8, (ASGI, FLASK, HELLO_ASGI, HELLO_FLASK, *ALL_PEERS)) for model in "ab"),
    *((model, 1, 1, (ASGI, HELLO_ASGI, KSERVE)) for model in "ab"),
    ("a", 1, 1, (FLASK,)),
    *((model, 1, 32, (ASGI, KSERVE)) for model in "ab"),
    ("a", 1, 32, (FLASK,)),
    ("a", 100, 8, (ASGI, FLASK, HELLO_ASGI, *ALL_PEERS)),
    ("b", 100, 8, (ASGI, FLASK, HELLO_ASGI, KSERVE)),
    ("a", 10_000, 8, (ASGI, KSERVE)),
    ("b", 10_000, 8, (ASGI, FLASK, *ALL_PEERS)),
    ("b", 100, 32, (ASGI,)),
    *(("c", rows, 8, (ASGI, FLASK, KSERVE)) for rows in (1, 100)),
    ("c", 10_000, 8, (ASGI, KSERVE)),
    *(("d", rows, 8, (ASGI, KSERVE)) for rows in (1, 100, 10_000)),
    ("diamonds", 1, 8, (ASGI, FLASK)),
    *(("diamonds", rows, 8, (ASGI,)) for rows in (100, 10_000)),
    ("codes", 1, 8, (ASGI,)),
)
FULL_JSON: tuple[Entry, ...] = (
    *((model, 1, 8, (ASGI, FLASK)) for model in "ab"),
    *((model, 100, 8, (ASGI,)) for model in "ab"),
    *((model, 1, 8, (ASGI,)) for model in ("c", "diamonds", "codes")),
    ("b", 10_000, 8, (ASGI,)),
)
QUICK: tuple[Entry, ...] = (
    ("a", 1, 8, (ASGI, FLASK, HELLO_ASGI, HELLO_FLASK, KSERVE, SAMPLE)),
    ("a", 1, 1, (ASGI, HELLO_ASGI)),
    ("a", 1, 32, (ASGI,)),
    ("a", 100, 8, (ASGI, HELLO_ASGI, KSERVE)),
    ("b", 1, 8, (ASGI, HELLO_ASGI, HELLO_FLASK, KSERVE)),
    ("b", 10_000, 8, (ASGI, KSERVE)),
    ("diamonds", 1, 8, (ASGI,)),
    ("codes", 1, 8, (ASGI,)),
)
QUICK_JSON: tuple[Entry, ...] = (("a", 1, 8, (ASGI,)),)


def build_plan(*, quick: bool) -> Plan:
    """Return the full plan, which takes about half an hour, or the quick one of three minutes."""
    if quick:
        return Plan(
            rounds=2,
            seconds={1: 1, 100: 1, 10_000: 2},
            workloads=_workloads_by_server(QUICK, QUICK_JSON),
            only_if_installed=frozenset({KSERVE}),
            max_minutes=4,
        )
    return Plan(
        rounds=5,
        seconds={1: 2, 100: 2, 10_000: 4},
        workloads=_workloads_by_server(FULL, FULL_JSON),
        only_if_installed=frozenset(),
        max_minutes=50,
    )


def in_process_workloads(workloads: dict[str, tuple[Workload, ...]]) -> list[Workload]:
    """Return each payload of the ASGI front end once, to time the same work without HTTP."""
    payloads = {
        Workload(workload.model, workload.rows, workload.media_type, connections=0)
        for workload in workloads.get(ASGI, ())
    }
    return sorted(payloads)


def _workloads_by_server(
    entries: Sequence[Entry], json_entries: Sequence[Entry]
) -> dict[str, tuple[Workload, ...]]:
    found: dict[str, list[Workload]] = {}
    for server, workload in (*_expand(entries, None), *_expand(json_entries, JSON)):
        found.setdefault(server, []).append(workload)
    return {server: tuple(workloads) for server, workloads in found.items()}


def _expand(entries: Sequence[Entry], media_type: str | None) -> Iterator[tuple[str, Workload]]:
    for model, rows, connections, servers in entries:
        for server in servers:
            preferred = CSV if CSV in SERVERS[server].bodies else JSON
            yield server, Workload(model, rows, media_type or preferred, connections)
