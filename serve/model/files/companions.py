"""Find the files that qualify a model: schema.json, and the request and response of the self-test.

They are looked for in the model's own folder first, then in the folders above it, up to the model
directory. A warning names those that are used from a folder above, and files of these names
elsewhere, which are never used.
"""

from collections.abc import Container, Iterator, Sequence

from serve.errors import BadArtifact
from serve.model.files.listing import Entry, suggest_replacement
from serve.model.files.names import CODE_NAME, MACOS_NAME, SCHEMA_NAME, SELF_TEST_NAME
from serve.model.foreign.formats import Likelihood
from serve.model.foreign.recognition import recognize
from serve.text import listed, printable, quoted

MAX_LISTED_FILES = 5
JSON = "is JSON "
CODE_ADVICE = (
    "not run, so a prediction is the model's alone: if this code changes requests or predictions, "
    "do that in the client; otherwise remove it"
)


def find_schema(entries: Sequence[Entry], folder: str) -> Entry | None:
    """Return the schema.json that qualifies a model in a folder, such as "artifact/" or "".

    Raises BadArtifact if it cannot be read, or if its name differs in case.
    """
    schemas = [entry for entry in entries if _is_schema(entry)]
    for ancestor in _iterate_upwards(folder):
        found = {entry.base_name: entry for entry in schemas if entry.folder == ancestor}
        if schema := found.get(SCHEMA_NAME):
            _check_content(schema, tuple(Likelihood))
            return schema
        if found:
            path = printable(next(iter(found.values())).path)
            raise BadArtifact(f"{path}: rename it to {SCHEMA_NAME}, in lower case")
    return None


def find_self_test(entries: Sequence[Entry], folder: str) -> tuple[Entry, Entry] | None:
    """Return the request and the expected response of the self-test of a model in a folder.

    Return None if the artifact has neither. Raises BadArtifact if it does not have one of each.
    """
    for ancestor in _iterate_upwards(folder):
        _check_folder(entries, f"{ancestor}{SELF_TEST_NAME}")
        inside = [entry for entry in entries if entry.folder == f"{ancestor}{SELF_TEST_NAME}/"]
        requests = [entry for entry in inside if entry.base_name.startswith("request.")]
        responses = [entry for entry in inside if entry.base_name.startswith("expected.")]
        if not requests and not responses:
            continue
        if len(requests) != 1 or len(responses) != 1:
            directory = printable(inside[0].path.parent)
            raise BadArtifact(
                f"{directory}: expected one request.* and one expected.* file, "
                f"found {len(requests)} and {len(responses)}"
            )
        for entry in (*requests, *responses):
            _check_content(entry, (Likelihood.DAMAGED, Likelihood.MODEL))
        return requests[0], responses[0]
    return None


def list_warnings(
    entries: Sequence[Entry], used: Sequence[Entry], model: Entry, folder: str
) -> list[str]:
    """Return a warning for each kind of file that does not clearly qualify the model.

    That is a schema.json or a self-test that is not used, or is used from a folder above the
    model's; and code, which is never run. ``used`` are the schema.json and the self-test's files,
    and ``folder`` is the folder of the model, or of all members of an ensemble.
    """
    unused = [entry for entry in entries if entry not in used and not _is_hidden(entry)]
    warnings: list[str] = []
    for matches in (_is_schema, _is_self_test):
        found = [entry for entry in used if matches(entry)]
        above = [entry for entry in found if not entry.folder.startswith(folder)]
        if above:
            warnings.append(f"{_list(above)}: used, but not {_place(model)}: move it there")
        if others := [entry for entry in unused if matches(entry)]:
            advice = f"move it {_place(model)}"
            if found:
                advice = f"remove it, because {quoted(found[0].name)} is used"
            warnings.append(f"{_list(others)}: not used: {advice}")
    if code := [entry for entry in unused if _is_code(entry)]:
        warnings.append(f"{_list(code)}: {CODE_ADVICE}")
    return warnings


def _place(model: Entry) -> str:
    return f"beside the model, {quoted(model.name)}"


def _list(entries: Sequence[Entry]) -> str:
    names = listed(entry.name for entry in entries[:MAX_LISTED_FILES])
    more = len(entries) - MAX_LISTED_FILES
    return f"{names} and {more:,} more" if more > 0 else names


def _iterate_upwards(folder: str) -> Iterator[str]:
    """Yield a folder and those above it: "a/b/", "a/", ""."""
    while folder:
        yield folder
        folder = folder[:-1].rpartition("/")[0]
        folder = f"{folder}/" if folder else ""
    yield ""


def _check_content(entry: Entry, likelihoods: Container[Likelihood]) -> None:
    """Raise BadArtifact for a file that cannot be read, or is certainly another one, by its bytes.

    ``likelihoods`` are those of the formats that it must not have.
    """
    _check_readable(entry)
    foreign = recognize(entry)
    # JSON with a byte order mark, or in UTF-16, is accepted.
    if foreign and foreign.likelihood in likelihoods and not foreign.predicate.startswith(JSON):
        path = printable(entry.path)
        raise BadArtifact(f"{path} {foreign.predicate}: replace it, or remove it")


def _check_readable(entry: Entry) -> None:
    if entry.obstacle:
        fix = suggest_replacement(entry.obstacle)
        raise BadArtifact(f"{printable(entry.path)} {entry.obstacle}: {fix}")


def _check_folder(entries: Sequence[Entry], name: str) -> None:
    """Raise BadArtifact if a folder cannot be listed, which makes it an entry itself."""
    for entry in entries:
        if entry.name == name:
            _check_readable(entry)


def _is_hidden(entry: Entry) -> bool:
    return any(part.startswith(".") or part == MACOS_NAME for part in entry.name.split("/"))


def _is_schema(entry: Entry) -> bool:
    return entry.base_name.lower() == SCHEMA_NAME


def _is_self_test(entry: Entry) -> bool:
    in_folder = f"/{entry.folder}".endswith(f"/{SELF_TEST_NAME}/")
    return in_folder and entry.base_name.startswith(("request.", "expected."))


def _is_code(entry: Entry) -> bool:
    """Return whether AWS's images would run a file: code/*.py, or inference.py anywhere."""
    in_folder = f"/{entry.folder}".endswith(f"/{CODE_NAME}/")
    return entry.base_name == "inference.py" or (in_folder and entry.base_name.endswith(".py"))
