"""Generator: draw the payload with a given index, which depends only on the seed and the index."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.adversary.models import Model
from tests.adversary.mutations import mutate
from tests.adversary.payloads import Payload
from tests.adversary.tables import ANY, NumberType, TableMaker
from tests.adversary.writers import npy, recordio
from tests.adversary.writers.context import Context
from tests.adversary.writers.csv import write_csv
from tests.adversary.writers.json import write_json, write_json_lines
from tests.adversary.writers.libsvm import write_libsvm

BLOCK = 64  # consecutive payloads of one model, which XGBoost predicts together
MAX_CELLS = 2400
LARGE_CELLS = 120_000
LARGE_RATE, HOSTILE_RATE, GZIP_RATE, BAD_ROWS_RATE = 0.0005, 0.3, 0.05, 0.5
LINE_TYPES = ("text/csv", "application/jsonlines")
RESPONSE_TYPES = (*LINE_TYPES, "application/json", "application/x-recordio-protobuf",
                  "application/x-npy")  # fmt: skip
JSON_TYPES = ("application/json", "application/jsonlines")
# Values of Accept, each with the media type that it selects; None is the default.
ACCEPTS: dict[str | None, str | None] = {
    None: None,
    "*/*": None,
    **{name: name for name in RESPONSE_TYPES},
    "text/csv; stream=true": "text/csv",
    "application/jsonlines;stream=true": "application/jsonlines",
    "image/png, application/json;q=0.5": "application/json",
    "text/csv;q=0.2, application/x-npy": "application/x-npy",
}

Write = Callable[[Context], Payload]


@dataclass(frozen=True, slots=True)
class Format:
    """A writer, and the numbers that its payloads can hold."""

    write: Write
    type: NumberType = ANY
    may_have_bad_rows: bool = False


def _binary_format(module: str, kind: str) -> Format:
    if module == "npy":
        return Format(lambda context: npy.write_npy(context, kind), npy.TYPES[kind])
    return Format(lambda context: recordio.write_recordio(context, kind), recordio.TYPES[kind])


CSV, LINES = Format(write_csv, ANY, True), Format(write_json_lines, ANY, True)
FORMATS: Sequence[Sequence[Format]] = (
    (CSV,),
    (CSV,),
    (Format(write_json),),
    (Format(write_json),),
    (LINES,),
    (Format(write_libsvm),),
    [_binary_format("recordio", kind) for kind in recordio.TYPES],
    [_binary_format("npy", kind) for kind in npy.TYPES],
)


def choose_model(seed: int, block: int, names: Sequence[str]) -> str:
    """Return the name of the model that the payloads of a block are for."""
    return Random(f"{seed}/block/{block}").choice(list(names))


def generate(seed: int, index: int, model: Model) -> Payload:
    """Return the payload with this index."""
    random = Random(f"{seed}/{index}")
    format_ = random.choice(random.choice(FORMATS))
    accept = random.choice(list(ACCEPTS))
    rows = _choose_rows(random, len(model.columns))
    table = TableMaker(model.columns, model.splits, random, format_.type).make(rows)
    is_hostile = random.random() < HOSTILE_RATE
    bad_rows: frozenset[int] = frozenset()
    may_have_bad_rows = model.row_errors and format_.may_have_bad_rows and not is_hostile
    if may_have_bad_rows and ACCEPTS[accept] in LINE_TYPES:
        bad_rows = _choose_bad_rows(random, rows)
    payload = format_.write(Context(model, table, random, bad_rows))
    payload = replace(payload, accept=accept)
    if is_hostile:
        payload = mutate(payload, random)
    return payload.compressed() if random.random() < GZIP_RATE else payload


def resolve_accept(accept: str | None, content_type: str | None, model: Model) -> str:
    """Return the media type that a response must have."""
    sent = (content_type or "").partition(";")[0].strip().lower()
    own = sent if sent in JSON_TYPES else "text/csv"
    return ACCEPTS[accept] or model.default_accept or own


def _choose_rows(random: Random, width: int) -> int:
    if random.random() < LARGE_RATE:
        return LARGE_CELLS // width
    most = random.choice((1, 2, 3, 5, 8, 20)) if random.random() < 0.98 else 300
    return min(random.randint(1, most), max(1, MAX_CELLS // width))


def _choose_bad_rows(random: Random, rows: int) -> frozenset[int]:
    """Return some rows, but not the last one, because trailing blank lines are ignored."""
    if random.random() > BAD_ROWS_RATE:
        return frozenset()
    return frozenset(row for row in range(rows - 1) if random.random() < 0.2)
