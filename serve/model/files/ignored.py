"""Say why the server does not use a file of the model directory, as `check` and the log report."""

from collections.abc import Sequence
from dataclasses import dataclass

from serve.model.files.listing import Entry
from serve.model.files.model_format import is_model
from serve.model.files.names import explain_skip, is_checkpoint, is_standard
from serve.model.foreign.recognition import describe
from serve.text import printable

# Opening ten thousand files takes a second on a slow disk.
MAX_INSPECTED_FILES = 1000
MAX_REPORTED_FILES = 20


@dataclass(frozen=True, slots=True)
class IgnoredFiles:
    """The unused files: the reasons of the most relevant ones, and the number of all.

    ``models`` are those among them that are models themselves.
    """

    reasons: dict[str, str]
    count: int
    models: dict[str, str]


def explain_ignored(
    entries: Sequence[Entry], used: Sequence[Entry], chosen: Sequence[Entry]
) -> IgnoredFiles:
    """Return why each file that is not used is ignored; models come first."""
    used_names = {entry.name for entry in used}
    ignored = [entry for entry in entries if entry.name not in used_names]
    candidates = [entry for entry in ignored if not explain_skip(entry.name)]
    found = [entry for entry in candidates[:MAX_INSPECTED_FILES] if is_model(entry)]
    models = [entry for entry in found if not is_checkpoint(entry.name)]
    model_names = {entry.name for entry in models}
    others = [entry for entry in ignored if entry.name not in model_names]
    winner = "a file with a standard name takes"
    if not is_standard(chosen[0].base_name):
        winner = "files with numbered names take"
    reasons = {
        printable(entry.name): f"a model, but {winner} precedence"
        for entry in models[:MAX_REPORTED_FILES]
    }
    return IgnoredFiles(
        reasons
        | {
            printable(entry.name): _explain(entry)
            for entry in others[: MAX_REPORTED_FILES - len(reasons)]
        },
        len(ignored),
        reasons,
    )


def _explain(entry: Entry) -> str:
    if reason := explain_skip(entry.name):
        return reason
    if is_checkpoint(entry.name):
        return "a checkpoint of training"
    predicate = describe(entry)
    return f"not a model; it {predicate}" if predicate else "not a model"
