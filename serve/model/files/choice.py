"""Choose the model, or the members of an ensemble, among the files of the model directory."""

import posixpath
from collections.abc import Collection, Sequence
from pathlib import Path

from serve.model.files.duplicates import drop_duplicates
from serve.model.files.listing import Entry
from serve.model.files.model_format import is_model
from serve.model.files.names import is_checkpoint, is_standard
from serve.model.files.numbering import find_numbered, has_numbered_name, sort_numbered
from serve.model.foreign.formats import Likelihood
from serve.model.foreign.recognition import recognize

OTHER_JSON = (b"{", b"[")
JSON_MODEL_START = b'{"learner":{'


def choose_models(directory: Path, candidates: Sequence[Entry], *, choose_all: bool) -> list[Entry]:
    """Return the files of the model: none, one, or the members of an ensemble in order.

    With ``choose_all``, all models belong to the ensemble.

    If all models are in one subdirectory, that is where names count, so a folder may be packed with
    its own name. There, a file with a standard name takes precedence, then numbered names, then
    models recognized by their bytes. A file that is the only one with a numbered name is treated
    like any other file.
    """
    relevant = [entry for entry in candidates if _is_named(entry) or is_model(entry)]
    relevant = [entry for entry in relevant if not is_checkpoint(entry.name)] or relevant
    relevant = _drop_other_files(relevant)
    home = find_common_folder(relevant)
    standard = [entry for entry in relevant if entry.folder == home and _is_standard(entry)]
    numbered = find_numbered([entry for entry in relevant if entry.folder == home])
    recognized = [e for e in relevant if is_model(e) and e not in standard and e not in numbered]
    standard = _prefer_models(standard)
    if choose_all:
        chosen = [*standard, *sort_numbered(directory, numbered), *recognized]
    elif standard:
        chosen = standard
    elif len(numbered) > 1:
        chosen = sort_numbered(directory, numbered)
    else:
        chosen = [*filter(is_model, numbered), *recognized]
    return drop_duplicates(chosen)


def find_common_folder(entries: Sequence[Entry]) -> str:
    """Return the deepest folder that contains all entries, such as "artifact/", or ""."""
    if not entries:
        return ""
    common = posixpath.commonpath([f"/{entry.folder}" for entry in entries])[1:]
    return f"{common}/" if common else ""


def _is_named(entry: Entry) -> bool:
    return _is_standard(entry) or has_numbered_name(entry)


def _is_standard(entry: Entry) -> bool:
    return is_standard(entry.base_name)


def _drop_other_files(relevant: list[Entry]) -> list[Entry]:
    """Return the entries without those that only have the name of a model, if there is a model.

    These are files that cannot be meant, such as a Keras model.json or a dump of trees beside the
    model, and files beside the result of their conversion. A file with a numbered name may be a
    member of an ensemble, so it is never dropped for its content.
    """
    names = {entry.name for entry in relevant if is_model(entry)}
    if not names:
        return relevant
    return [
        entry
        for entry in relevant
        if entry.name in names or not (_is_unrelated(entry) or _is_converted(entry, names))
    ]


def _is_converted(entry: Entry, models: Collection[str]) -> bool:
    return f"{entry.name.removesuffix('.pkl')}.ubj" in models


def _is_unrelated(entry: Entry) -> bool:
    """Return whether a file is certainly not a damaged copy of the model."""
    if has_numbered_name(entry):
        return False
    foreign = recognize(entry)
    if foreign is None:
        return _is_other_json(entry)
    return foreign.likelihood in (Likelihood.OTHER, Likelihood.FOREIGN)


def _prefer_models(standard: list[Entry]) -> list[Entry]:
    """Return the models among files with a standard name, or the file that prevents their choice.

    A damaged file may be the model that was meant. A file that can be converted or extracted is
    not, if there is a model besides it.
    """
    models = [entry for entry in standard if is_model(entry)]
    others = [entry for entry in standard if not is_model(entry)]
    if models:
        others = [entry for entry in others if not _is_source(entry)]
    return others[:1] or models


def _is_source(entry: Entry) -> bool:
    """Return whether the model may come from a file, which can be converted or extracted."""
    foreign = recognize(entry)
    return foreign is not None and foreign.likelihood in (
        Likelihood.CONVERTIBLE,
        Likelihood.ARCHIVE,
    )


def _is_other_json(entry: Entry) -> bool:
    text = entry.head.lstrip()
    is_json = text[:1] in OTHER_JSON and entry.base_name.lower().endswith(".json")
    return is_json and not JSON_MODEL_START.startswith(b"".join(text.split()))
