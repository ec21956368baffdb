"""Explain a directory without a model: what is likely meant to be the model, and what to do."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from serve.model.files.listing import Entry
from serve.model.files.model_format import is_model
from serve.model.files.names import STANDARD_NAMES, explain_skip
from serve.model.foreign.formats import Likelihood
from serve.model.foreign.recognition import describe, explain_unreadable, recognize
from serve.text import listed, quoted

MAX_INSPECTED_FILES = 1000
MAX_DESCRIBED_FILES = 10
LIKELY_MODELS = (Likelihood.CONVERTIBLE, Likelihood.MODEL, Likelihood.FOREIGN)


def explain_missing_model(
    directory: Path, entries: Sequence[Entry], candidates: Sequence[Entry]
) -> str:
    """Return the error for a directory without a model.

    If exactly one file is likely meant to be the model, the error explains that file.
    """
    if suspect := _find_suspect(candidates, LIKELY_MODELS):
        return explain_unreadable(suspect)
    if message := _explain_misplaced(directory, entries):
        return message
    if suspect := _find_suspect(candidates, (Likelihood.ARCHIVE, Likelihood.DAMAGED)):
        return explain_unreadable(suspect)
    contents = f"it contains {_describe_contents(entries)}" if entries else "it is empty"
    return (
        f"{directory} contains no model: expected {', '.join(STANDARD_NAMES)} "
        f"or one other file in XGBoost's UBJSON or JSON format; {contents}"
    )


def _find_suspect(candidates: Sequence[Entry], likelihoods: Sequence[Likelihood]) -> Entry | None:
    """Return the only file of the first likelihood that any file has, or None."""
    found = defaultdict(list)
    for entry in candidates[:MAX_INSPECTED_FILES]:
        if foreign := recognize(entry):
            found[foreign.likelihood].append(entry)
    suspects = next((found[level] for level in likelihoods if level in found), [])
    return suspects[0] if len(suspects) == 1 else None


def _explain_misplaced(directory: Path, entries: Sequence[Entry]) -> str:
    """Return the error for a model in a place that is skipped, or "" if there is none."""
    skipped = [entry for entry in entries[:MAX_INSPECTED_FILES] if explain_skip(entry.name)]
    models = [entry for entry in skipped if is_model(entry)]
    if not models:
        return ""
    first = models[0]
    return (
        f"{directory} contains no model where the server looks for it: "
        f"{quoted(first.name)} is ignored ({explain_skip(first.name)}); "
        f"save it as {STANDARD_NAMES[0]} in {directory}"
    )


def _describe_contents(entries: Sequence[Entry]) -> str:
    """Return the names of the files; of few files, with what each of them is."""
    if len(entries) > MAX_DESCRIBED_FILES:
        return listed(entry.name for entry in entries)
    described = []
    for entry in entries:
        what = explain_skip(entry.name) or describe(entry).removeprefix("is ")
        name = quoted(entry.name)
        described.append(f"{name} ({what})" if what else name)
    return ", ".join(described)
