"""The grid: which server gets which load, on which model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.peers import FLOORS, PEERS, SERVERS
from bench.peers.peer import CSV, JSON

LEAN, FLASK = "ours, asgi", "ours, flask"
HELLO_LEAN, HELLO_FLASK = (floor.name for floor in FLOORS)
KSERVE, SAMPLE = "KServe", "pandas sample"
ALL_PEERS = tuple(peer.name for peer in PEERS)


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One load: the model, the rows of each request, their media type, and how many connections send at once."""

    model: str
    rows: int
    media_type: str
    connections: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How many rounds, how long a cell lasts, in whole seconds by its rows, and the cells of each server."""

    rounds: int
    seconds: dict[int, int]
    cells: dict[str, tuple[Cell, ...]]
    only_ready: frozenset[str]
    most_minutes: float


# Model, rows, connections, and the servers that get them in their own media type.
Line = tuple[str, int, int, Sequence[str]]

FULL: tuple[Line, ...] = (
    *((model, 1, 8, (LEAN, FLASK, HELLO_LEAN, HELLO_FLASK, *ALL_PEERS)) for model in "ab"),
    *((model, 1, 1, (LEAN, HELLO_LEAN, KSERVE)) for model in "ab"),
    ("a", 1, 1, (FLASK,)),
    *((model, 1, 32, (LEAN, KSERVE)) for model in "ab"),
    ("a", 1, 32, (FLASK,)),
    ("a", 100, 8, (LEAN, FLASK, HELLO_LEAN, *ALL_PEERS)),
    ("b", 100, 8, (LEAN, FLASK, HELLO_LEAN, KSERVE)),
    ("a", 10_000, 8, (LEAN, KSERVE)),
    ("b", 10_000, 8, (LEAN, FLASK, *ALL_PEERS)),
    ("b", 100, 32, (LEAN,)),
    *(("c", rows, 8, (LEAN, FLASK, KSERVE)) for rows in (1, 100)),
    ("c", 10_000, 8, (LEAN, KSERVE)),
    ("diamonds", 1, 8, (LEAN, FLASK)),
    *(("diamonds", rows, 8, (LEAN,)) for rows in (100, 10_000)),
    ("codes", 1, 8, (LEAN,)),
)
FULL_JSON: tuple[Line, ...] = (
    *((model, 1, 8, (LEAN, FLASK)) for model in "ab"),
    *((model, 100, 8, (LEAN,)) for model in "ab"),
    *((model, 1, 8, (LEAN,)) for model in ("c", "diamonds", "codes")),
    ("b", 10_000, 8, (LEAN,)),
)
QUICK: tuple[Line, ...] = (
    ("a", 1, 8, (LEAN, FLASK, HELLO_LEAN, HELLO_FLASK, KSERVE, SAMPLE)),
    ("a", 1, 1, (LEAN, HELLO_LEAN)),
    ("a", 1, 32, (LEAN,)),
    ("a", 100, 8, (LEAN, HELLO_LEAN, KSERVE)),
    ("b", 1, 8, (LEAN, HELLO_LEAN, HELLO_FLASK, KSERVE)),
    ("b", 10_000, 8, (LEAN, KSERVE)),
    ("diamonds", 1, 8, (LEAN,)),
    ("codes", 1, 8, (LEAN,)),
)
QUICK_JSON: tuple[Line, ...] = (("a", 1, 8, (LEAN,)),)


def plan(*, quick: bool) -> Plan:
    """Return the run of about half an hour, or the one of less than three minutes."""
    if quick:
        return Plan(2, {1: 1, 100: 1, 10_000: 2}, _cells(QUICK, QUICK_JSON), frozenset({KSERVE}), 4)
    return Plan(5, {1: 2, 100: 2, 10_000: 4}, _cells(FULL, FULL_JSON), frozenset(), 50)


def in_process_cells(cells: dict[str, tuple[Cell, ...]]) -> list[Cell]:
    """Return what the ASGI front end is measured with, each payload once, for the floor that is the same work without HTTP."""
    return sorted({Cell(cell.model, cell.rows, cell.media_type, 0) for cell in cells.get(LEAN, ())})


def _cells(lines: Sequence[Line], json_lines: Sequence[Line]) -> dict[str, tuple[Cell, ...]]:
    found: dict[str, list[Cell]] = {}
    for name, cell in (*_named(lines, None), *_named(json_lines, JSON)):
        found.setdefault(name, []).append(cell)
    return {name: tuple(cells) for name, cells in found.items()}


def _named(lines: Sequence[Line], media_type: str | None) -> Iterator[tuple[str, Cell]]:
    for model, rows, connections, names in lines:
        for name in names:
            favourite = CSV if CSV in SERVERS[name].bodies else JSON
            yield name, Cell(model, rows, media_type or favourite, connections)
