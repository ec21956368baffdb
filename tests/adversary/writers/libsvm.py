"""Write text/libsvm: labels, weights, query IDs, comments, and indices in any order."""

from tests.adversary.payloads import Payload
from tests.adversary.spelling import spell_number, spell_plainly
from tests.adversary.writers.context import Context, is_missing

MEDIA_TYPES = ("text/libsvm", "text/libsvm", "text/x-libsvm", "libsvm")
STYLES = ("plain", "plain", "unsorted", "weights", "queries", "comments", "no label")
COMMENT = "# a comment: 1:2"


def write_libsvm(context: Context) -> Payload:
    """Return one line per record, sometimes with lines that contain only a comment."""
    style = context.random.choice(STYLES)
    lines = []
    for row in context.table:
        if style == "comments" and context.chance(0.2):
            lines.append(COMMENT)
        lines.append(_write_line(context, row, style))
    ending = context.random.choice(("\n", "\n", "\r\n"))
    body = ending.join(lines) + ending
    content_type = context.random.choice(MEDIA_TYPES)
    if style == "no label":
        content_type += "; label=absent"
    return context.build_payload(body.encode(), content_type, f"text/libsvm: {style}")


def _write_line(context: Context, row: list[float], style: str) -> str:
    pairs = [(index, number) for index, number in enumerate(row) if not is_missing(number)]
    if style == "unsorted":
        context.random.shuffle(pairs)
    base = context.model.libsvm_base
    words = [f"{index + base}:{_spell(context, number, style)}" for index, number in pairs]
    words[:0] = _write_label(context, style)
    if style == "comments" and context.chance(0.5):
        words.append(COMMENT)
    return context.random.choice((" ", " ", "  ", "\t")).join(words)


def _write_label(context: Context, style: str) -> list[str]:
    if style == "no label":
        return []
    label = context.random.choice(("0", "1", "-1", "2.5", "1e3", "+1"))
    if style == "weights":
        return [f"{label}:{context.random.choice(('0.5', '1', '2'))}"]
    if style == "queries":
        return [label, f"qid:{context.random.randrange(9)}"]
    return [label]


def _spell(context: Context, number: float, style: str) -> str:
    return spell_plainly(number) if style == "plain" else spell_number(number, context.random)
