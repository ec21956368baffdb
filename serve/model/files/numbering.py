"""The numbered names of an ensemble's members: their order, and members that are missing."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from serve.errors import BadArtifact
from serve.model.files.duplicates import drop_duplicates
from serve.model.files.listing import Entry
from serve.model.files.model_format import is_model
from serve.model.files.names import MEMBER_NAME, NUMBER, NUMBERED_NAME
from serve.model.foreign.formats import Likelihood
from serve.model.foreign.recognition import explain_unreadable, recognize
from serve.text import listed, printable, quoted, shortened

# Larger numbers, such as dates, do not count the members.
MAX_MEMBER_NUMBER = 999
MAX_LISTED_NUMBERS = 10
CONTROL_CHARACTER = re.compile(rb"[\0-\x08\x0e-\x1f]")


def has_numbered_name(entry: Entry) -> bool:
    """Return whether a file has the name of an ensemble's member; its content does not matter."""
    return NUMBERED_NAME.fullmatch(entry.base_name) is not None


def find_numbered(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries with numbered names.

    A model whose name has another extension, such as ``xgboost-model-2.bin``, is one of them if
    its number is not taken.
    """
    named = [entry for entry in entries if has_numbered_name(entry)]
    taken = {read_number(entry) for entry in named}
    others = [entry for entry in entries if _is_member(entry) and read_number(entry) not in taken]
    return [*named, *filter(is_model, others)]


def are_members(entries: Sequence[Entry]) -> bool:
    """Return whether entries have the names of different members of one ensemble."""
    numbers = {read_number(entry) for entry in entries}
    return all(map(_is_member, entries)) and len(numbers) == len(entries)


def sort_numbered(directory: Path, numbered: Sequence[Entry]) -> list[Entry]:
    """Return the numbered files in numeric order; raises BadArtifact for a repeated number."""
    by_number: dict[int, list[Entry]] = defaultdict(list)
    for entry in numbered:
        by_number[read_number(entry)].append(entry)
    for number, entries in by_number.items():
        if len(drop_duplicates(entries)) > 1:
            raise BadArtifact(
                f"{printable(directory)} contains several models with the number {number} "
                f"({listed(entry.name for entry in entries)}): remove all but one"
            )
    return [entries[0] for _, entries in sorted(by_number.items())]


def check_numbering(candidates: Sequence[Entry], chosen: Sequence[Entry]) -> list[str]:
    """Return a warning for numbers that no member has.

    Raises BadArtifact if a file that is not a model has the name of a member, such as
    ``xgboost-model-2.pkl``: the predictions would lack it.
    """
    members = [entry for entry in chosen if _is_member(entry)]
    if not members:
        return []
    numbered = [entry for entry in candidates if read_number(entry) >= 0]
    folders = {entry.folder for entry in members}
    # The files in other folders than that of an ensemble are backups.
    if len(members) > 1 and len(folders) == 1:
        numbered = [entry for entry in numbered if entry.folder in folders]
    taken = {read_number(entry) for entry in numbered if _is_member(entry) and is_model(entry)}
    others = [entry for entry in numbered if read_number(entry) not in taken]
    for entry in others:
        if not is_model(entry) and _may_be_model(entry):
            raise BadArtifact(
                f"{explain_unreadable(entry)}; by its name, it belongs to the ensemble"
            )
    return _find_gaps(taken, {read_number(entry) for entry in others})


def read_number(entry: Entry) -> int:
    """Return the number in the name of a member, or -1 for any other name."""
    match = NUMBER.match(entry.base_name)
    return int(match[1]) if match else -1


def _is_member(entry: Entry) -> bool:
    return MEMBER_NAME.fullmatch(entry.base_name) is not None


def _may_be_model(entry: Entry) -> bool:
    """Return whether a file may be a model, damaged or in another format."""
    foreign = recognize(entry)
    if foreign is None:
        return not _is_text(entry.head)
    return foreign.likelihood != Likelihood.OTHER


def _is_text(head: bytes) -> bool:
    return not CONTROL_CHARACTER.search(head)


def _find_gaps(taken: set[int], others: set[int]) -> list[str]:
    """Return a warning for the numbers that are missing; ``others`` are those of other files."""
    last = max(taken | others)
    if last > MAX_MEMBER_NUMBER:
        return []
    missing = [number for number in range(1, last + 1) if number not in taken]
    if 0 in others:
        missing.insert(0, 0)
    if not missing:
        return []
    names = [quoted(f"xgboost-model-{number}") for number in missing]
    advice = (
        "if it belongs to the ensemble, copy it; otherwise number the models from 0 without gaps"
    )
    return [f"no model is named {shortened(names, MAX_LISTED_NUMBERS)}: {advice}"]
