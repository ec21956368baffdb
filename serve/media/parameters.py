"""The parameters of Content-Type, and how to find parameters that this server does not know.

A misspelled or misplaced parameter is an error, because ignoring it could change a prediction. A
parameter that does not resemble one of this server's, such as ``profile``, is ignored.
"""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches

from serve.errors import UnsupportedMediaType
from serve.media.types import (
    ACCEPT_PARAMETERS,
    CELLS,
    CSV,
    EXPLAIN,
    JSON,
    JSON_LINES,
    LIBSVM,
    OUTPUTS,
    STREAM,
    TOP,
    remove_quoted,
)
from serve.text import quoted

CHARSET, IGNORE = "charset", "ignore"
CONTENT_TYPE_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    CSV: ("header", "delimiter", "label_size", IGNORE, CHARSET),
    LIBSVM: ("label", CHARSET),
    JSON: (CHARSET,),
    JSON_LINES: (CHARSET,),
}
# Clients add a charset to every media type, so it is ignored where it has no effect.
OWNERS: Mapping[str, str] = {
    name: media_type
    for media_type, names in CONTENT_TYPE_PARAMETERS.items()
    for name in names
    if name != CHARSET
}

# Other names of these parameters, too different to be found by similarity.
SYNONYMS = {
    "sep": "delimiter",
    "separator": "delimiter",
    "has_header": "header",
    "header_row": "header",
    "label": "label_size",
    "label_size": "label",
    "labelsize": "label",
    "encoding": CHARSET,
    "drop": IGNORE,
    "exclude": IGNORE,
    "skip_columns": IGNORE,
    "ignore_columns": IGNORE,
    "contributions": EXPLAIN,
    "contribs": EXPLAIN,
    "pred_contribs": EXPLAIN,
    "shap": EXPLAIN,
    "margin": EXPLAIN,
    "leaves": EXPLAIN,
    "top_k": TOP,
    "top_n": TOP,
    "chunked": STREAM,
    "output": OUTPUTS,
    "keys": OUTPUTS,
    "classes": OUTPUTS,
    "probabilities": OUTPUTS,
    "flat": CELLS,
    "flatten": CELLS,
}
# Parameters of other programs that would change predictions, and what to use here.
BASE_HINT = "the index base is a setting, SERVE_LIBSVM_BASE"
MISSING_HINT = 'a number that means missing is declared in schema.json, as "missing_value"'
CONTENT_TYPE_HINTS: Mapping[str, Mapping[str, str]] = {
    CSV: {
        "missing": MISSING_HINT,
        "missing_value": MISSING_HINT,
        "na_values": MISSING_HINT,
        "decimal": "numbers have a decimal point",
        "quote": 'cells are quoted with "',
        "quotechar": 'cells are quoted with "',
        "label_column": "a payload contains no label",
        "weight_column": "a payload contains no weight",
        "columns": "send the column names in a header, with header=present",
        "names": "send the column names in a header, with header=present",
    },
    LIBSVM: {
        "indexing_mode": BASE_HINT,
        "libsvm_base": BASE_HINT,
        "index_base": BASE_HINT,
        "base": BASE_HINT,
        "missing": MISSING_HINT,
        "missing_value": MISSING_HINT,
    },
}

SIMILARITY = 0.75
NAME = re.compile(r";\s*([\w.-]+)")


def check_content_type_parameters(header: str | None, media_type: str) -> None:
    """Raise UnsupportedMediaType for a misspelled, misplaced, repeated or unsupported parameter."""
    known = CONTENT_TYPE_PARAMETERS.get(media_type, ())
    hints = CONTENT_TYPE_HINTS.get(media_type, {})
    problem = find_problem(header or "", known, hints)
    if problem := problem or _find_misplaced(header or "", media_type):
        raise UnsupportedMediaType(f"Content-Type: {problem}")


def find_problem(entry: str, known: Collection[str], hints: Mapping[str, str]) -> str | None:
    """Return the first problem with the names of an entry's parameters, or None."""
    entry = remove_quoted(entry)
    names = _list_names(entry)
    for name in names:
        if name in known:
            if names.count(name) > 1:
                return (
                    f"expected the parameter {quoted(name)} once, got it {names.count(name)} times"
                )
            value = re.search(rf";\s*{name}\s*=([^;]*)", entry, re.IGNORECASE)
            if value is None:
                return f"expected {name}=…, got {quoted(name)} without a value"
            if len(value[1].split()) > 1:
                return f"{name}={value[1].strip()}: expected one value, got a blank in it"
        elif meant := _find_meant(name, known):
            return f"unknown parameter {quoted(name)}; did you mean {quoted(meant)}?"
        elif hint := hints.get(name.replace("-", "_")):
            return f"unknown parameter {quoted(name)}: {hint}"
    return None


def _find_misplaced(entry: str, media_type: str) -> str | None:
    """Return the problem with a parameter of another media type or of Accept, or None."""
    for name in _list_names(remove_quoted(entry)):
        if OWNERS.get(name, media_type) != media_type:
            return (
                f"the parameter {quoted(name)} belongs to {OWNERS[name]}, not to {media_type}: "
                "remove it"
            )
        if name in ACCEPT_PARAMETERS:
            return f"the parameter {quoted(name)} belongs to Accept: send it there"
    return None


def _list_names(entry: str) -> list[str]:
    return [name.lower() for name in NAME.findall(entry)]


def _find_meant(name: str, known: Collection[str]) -> str | None:
    name = name.replace("-", "_")
    if name in known or SYNONYMS.get(name) in known:
        return name if name in known else SYNONYMS[name]
    matches = get_close_matches(name, known, 1, SIMILARITY)
    return matches[0] if matches else None
