"""Say what was written, what was inferred from what, what is unknown, and what to do next."""

import shlex
from collections.abc import Iterator

from model.schema.writing import Written
from serve.model.schema_json.keys import CLASSES, FEATURES, IGNORE, MISSING_VALUE, PREDICTION
from serve.text import counted, quoted, shortened

MAX_NAMES = 8
MAX_FINDINGS = 15


def describe(written: Written, folder: str) -> str:
    """Return the report, in lines."""
    return "\n".join(
        [
            _describe_file(written),
            "",
            "Inferred",
            *_list(_iterate_inferred(written)),
            "",
            "Not known",
            *_list(_iterate_unknown(written)),
            "",
            "Next",
            f"  edit {written.path}",
            f"  make check FOLDER={shlex.quote(folder)}",
            f"  make serve FOLDER={shlex.quote(folder)}",
            f"  make app FOLDER={shlex.quote(folder)}",
        ]
    )


def _list(findings: Iterator[str]) -> list[str]:
    lines = [f"  - {finding}" for finding in findings]
    more = len(lines) - MAX_FINDINGS
    return lines if more <= 0 else [*lines[:MAX_FINDINGS], f"  - and {more:,} more"]


def _describe_file(written: Written) -> str:
    model = written.model
    verb = "Replaced" if written.replaced else "Wrote"
    classes = f", {model.class_count:,} classes" if model.class_count else ""
    if model.label_count:
        classes = f", {model.label_count:,} labels"
    features = counted(len(model.features), "feature")
    return f"{verb} {written.path}: {features} of {model.file.name} ({model.objective}{classes})"


def _iterate_inferred(written: Written) -> Iterator[str]:
    model, sample = written.model, written.sample
    source = f"{counted(sample.row_count, 'row')} of {sample.name}" if sample else ""
    if model.names:
        yield "names: from the model"
    elif sample and sample.columns.names:
        yield (
            f"names: from the header of {sample.name}, because the model has none: this is right "
            "if training used these columns, in this order"
        )
    has_types = all(feature.type for feature in model.features)
    if has_types or sample:
        yield f"types: from the {'model' if has_types else 'sample'}"
    if any(feature.labels for feature in model.features):
        yield "labels of categories, in the order of their codes: from the model"
    if sample:
        yield f"ranges: from {source}"
        yield f"missing values: from {source}: {_describe_missing(written)}"
    yield from written.findings.inferred


def _describe_missing(written: Written) -> str:
    """Return which columns may have missing values, and what the sample has in place of them."""
    entries = written.document[FEATURES]
    optional = [
        quoted(entry.get("name", number))
        for number, entry in enumerate(entries, 1)
        if entry["missing"]
    ]
    if not optional:
        return "no column has any, so the server rejects them"
    names = shortened(optional, MAX_NAMES)
    if len(optional) == len(entries):
        return "every column has some"
    return f"only {names} may have some; the server rejects them elsewhere"


def _iterate_unknown(written: Written) -> Iterator[str]:
    yield from written.findings.unknown
    sample = written.sample
    entries = written.document[FEATURES]
    if written.model.label_count and CLASSES not in written.document[PREDICTION]:
        yield (
            f"the names of the {written.model.label_count:,} labels, each with a probability: add "
            'them as "classes" to "prediction", in the order of the outputs'
        )
    if not any("name" in entry for entry in entries):
        source = "use a SAMPLE with a header" if sample else "set SAMPLE"
        yield (
            'names: the model has none: give each feature a "name", in the order of training, or '
            f"{source}, so the server can check the order of columns"
        )
    if sample is None:
        yield "which values may be missing, and the ranges of numbers: set SAMPLE"
    else:
        yield from _describe_unused(sample.columns.unused, has_target=sample.target is not None)
        yield from _describe_missing_texts(written)
    suspects = any(facts.suspects for facts in sample.features) if sample else False
    if MISSING_VALUE not in written.document and not suspects:
        yield (
            "whether a number means missing: if it was DMatrix(..., missing=-999), add "
            '"missing_value": -999 at the top level'
        )
    yield 'what the columns and the prediction mean: fill in "description", and add a "unit"'


def _describe_unused(unused: tuple[str, ...], *, has_target: bool) -> Iterator[str]:
    if not unused:
        return
    names = shortened([quoted(name) for name in unused], MAX_NAMES)
    hint = "" if has_target else "if one of them is what the model predicts, set TARGET to it; "
    yield (
        f"columns of the sample that the model does not have: {names}; {hint}"
        f'if callers send them, add "{IGNORE}": [{names}] at the top level'
    )


def _describe_missing_texts(written: Written) -> Iterator[str]:
    """Name texts that pandas reads as missing values, and the server does not."""
    sample = written.sample
    texts = {text for facts in sample.features for text in facts.missing_texts} if sample else set()
    others = sorted(text for text in texts if text and text.lower() not in ("nan", "-nan"))
    numbers = {facts.marker for facts in sample.features} if sample else set()
    others = [text for text in others if not _is_marker(text, numbers)]
    if others:
        yield (
            f"missing values written as {shortened(list(map(quoted, others)), MAX_NAMES)}: the "
            "server reads only a blank cell and NaN as missing, so callers must send these"
        )


def _is_marker(text: str, numbers: set[float | None]) -> bool:
    try:
        return float(text) in numbers
    except ValueError:
        return False
