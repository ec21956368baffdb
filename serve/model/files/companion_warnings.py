"""Warn about files that look as if they qualified the model, or changed its predictions."""

from collections.abc import Sequence

from serve.model.files.companions import is_schema, is_self_test
from serve.model.files.listing import Entry
from serve.model.files.names import CODE_NAME, MACOS_NAME, SCHEMA_NAME, SELF_TEST_NAME
from serve.model.files.near_names import resembles_schema, resembles_self_test
from serve.text import quoted, shortened

MAX_LISTED_FILES = 5
RENAME_SCHEMA = f"rename it to {SCHEMA_NAME}, or remove it"
RENAME_SELF_TEST = (
    f"name the folder {SELF_TEST_NAME}, and its files request.csv and expected.csv "
    "(or .json or .jsonl)"
)
CODE_ADVICE = (
    "not run, so a prediction is the model's alone: if this code changes requests or predictions, "
    "do that in the client; otherwise remove it"
)


def list_warnings(
    entries: Sequence[Entry], used: Sequence[Entry], model: Entry, folder: str
) -> list[str]:
    """Return a warning for each kind of file that does not clearly qualify the model.

    That is a schema.json or a self-test that is not used, is misspelled, or is used from a folder
    above the model's; and code, which is never run. ``used`` are the schema.json and the
    self-test's files, and ``folder`` is the folder of the model, or of all members of an ensemble.
    """
    unused = [entry for entry in entries if entry not in used and not _is_hidden(entry)]
    schemas = list(filter(is_schema, used))
    self_test = list(filter(is_self_test, used))
    warnings = [
        *_warn_above(schemas, model, folder),
        *_warn_unused(list(filter(is_schema, unused)), schemas, f"move it {_place(model)}"),
        *_warn_unused(_find_near_schemas(unused, model), schemas, RENAME_SCHEMA),
        *_warn_above(self_test, model, folder),
        *_warn_unused(list(filter(is_self_test, unused)), self_test, f"move it {_place(model)}"),
        *_warn_unused(_find_near_self_tests(unused, self_test), self_test, RENAME_SELF_TEST),
    ]
    if code := [entry for entry in unused if _is_code(entry)]:
        warnings.append(f"{_list(code)}: {CODE_ADVICE}")
    return warnings


def _warn_above(found: Sequence[Entry], model: Entry, folder: str) -> list[str]:
    above = [entry for entry in found if not entry.folder.startswith(folder)]
    return [f"{_list(above)}: used, but not {_place(model)}: move it there"] if above else []


def _warn_unused(others: Sequence[Entry], used: Sequence[Entry], advice: str) -> list[str]:
    if not others:
        return []
    if used:
        advice = f"remove it, because {quoted(used[0].name)} is used"
    return [f"{_list(others)}: not used: {advice}"]


def _find_near_schemas(entries: Sequence[Entry], model: Entry) -> list[Entry]:
    return [entry for entry in entries if not is_schema(entry) and resembles_schema(entry, model)]


def _find_near_self_tests(entries: Sequence[Entry], used: Sequence[Entry]) -> list[Entry]:
    return [
        entry
        for entry in entries
        if not is_self_test(entry) and resembles_self_test(entry, has_self_test=bool(used))
    ]


def _place(model: Entry) -> str:
    return f"beside the model, {quoted(model.name)}"


def _list(entries: Sequence[Entry]) -> str:
    names = dict.fromkeys(entry.name for entry in entries)
    return shortened([quoted(name) for name in names], MAX_LISTED_FILES)


def _is_hidden(entry: Entry) -> bool:
    return any(part.startswith(".") or part == MACOS_NAME for part in entry.name.split("/"))


def _is_code(entry: Entry) -> bool:
    """Return whether AWS's images would run a file: code/*.py, or inference.py anywhere."""
    in_folder = f"/{entry.folder}".endswith(f"/{CODE_NAME}/")
    return entry.base_name == "inference.py" or (in_folder and entry.base_name.endswith(".py"))
