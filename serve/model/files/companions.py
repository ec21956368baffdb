"""Find the files that qualify a model: schema.json, the self-test's files, and the checksum.

The checksum is beside the model. The others are looked for in the model's own folder first, then in
the folders above it, up to the model directory. companion_warnings.py names files of these names
that are never used.
"""

from collections.abc import Container, Iterator, Sequence

from serve.errors import BadArtifact
from serve.model.files.checksum import CHECKSUM_SUFFIX
from serve.model.files.listing import Entry, suggest_replacement
from serve.model.files.names import SCHEMA_NAME, SELF_TEST_NAME
from serve.model.foreign.formats import Likelihood
from serve.model.foreign.recognition import recognize
from serve.text import printable

JSON = "is JSON "


def find_schema(entries: Sequence[Entry], folder: str) -> Entry | None:
    """Return the schema.json that qualifies a model in a folder, such as "artifact/" or "".

    Raises BadArtifact if it cannot be read, or if its name differs in case.
    """
    schemas = [entry for entry in entries if is_schema(entry)]
    for ancestor in _iterate_upwards(folder):
        _check_not_a_folder(entries, f"{ancestor}{SCHEMA_NAME}")
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


def find_checksum(entries: Sequence[Entry], model: Entry) -> Entry | None:
    """Return the file with the SHA-256 of a model; raises BadArtifact if it cannot be read."""
    name = f"{model.name}{CHECKSUM_SUFFIX}"
    checksum = next((entry for entry in entries if entry.name == name), None)
    if checksum:
        _check_readable(checksum)
    return checksum


def is_schema(entry: Entry) -> bool:
    """Return whether a file is a schema.json, in any case and any folder."""
    return entry.base_name.lower() == SCHEMA_NAME


def is_self_test(entry: Entry) -> bool:
    """Return whether a file has the name of a self-test's request or response."""
    in_folder = f"/{entry.folder}".endswith(f"/{SELF_TEST_NAME}/")
    return in_folder and entry.base_name.startswith(("request.", "expected."))


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


def _check_not_a_folder(entries: Sequence[Entry], name: str) -> None:
    """Raise BadArtifact if there is a folder with the name of a file; a link is an entry."""
    path = entries[0].directory / name
    if path.is_dir() and not path.is_symlink():
        raise BadArtifact(f"{printable(path)} is a directory: replace it with the file itself")


def _check_folder(entries: Sequence[Entry], name: str) -> None:
    """Raise BadArtifact if a folder cannot be listed, which makes it an entry itself."""
    for entry in entries:
        if entry.name == name:
            _check_readable(entry)
