"""Find the columns of the sample: which one is which feature, and which one is the target."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from model.schema.errors import CannotDescribe
from model.schema.sample_file import SampleFile
from serve.column_names import match_names, strip_blanks
from serve.diagnosis.similar import find_similar
from serve.text import counted, listed, quoted, with_hint

# The name of an index column: pandas writes an empty name, and reads it as "Unnamed: 0".
INDEX_NAMES = ("", "Unnamed: 0")


@dataclass(frozen=True, slots=True)
class Columns:
    """The indices of the sample's columns.

    Attributes:
        features: the column of each feature, in the model's order.
        target: the column that the model predicts.
        names: the names of the features, from the model or else from the header.
        unused: the names of the other columns.

    """

    features: list[int]
    target: int | None = None
    names: list[str] | None = None
    unused: tuple[str, ...] = ()


def find_columns(
    sample: SampleFile, names: Sequence[str] | None, width: int, target_name: str | None
) -> Columns:
    """Return the columns of a sample for a model; raises CannotDescribe.

    Args:
        sample: the file.
        names: the names of the model's features, or None if the model has none.
        width: the number of the model's features.
        target_name: the target's name; without a header its number, from 1.
    """
    if sample.header is None:
        return _find_by_position(sample, names, width, target_name)
    header = [strip_blanks(name) if names is None else name for name in sample.header]
    if names is not None:
        header = list(match_names(header, names))
    if repeated := [name for name, count in Counter(header).items() if count > 1]:
        raise CannotDescribe(f"{sample.path}: repeated columns: {listed(repeated)}")
    target = None if target_name is None else _find_target(sample, header, names, target_name)
    if names is None:
        names = _choose_names(sample, header, width, target)
    features = [_find_feature(sample, header, name) for name in names]
    used = {*features, target}
    unused = tuple(name for index, name in enumerate(header) if index not in used)
    return Columns(features, target, list(names), unused)


def _find_target(
    sample: SampleFile, header: Sequence[str], names: Sequence[str] | None, target: str
) -> int:
    if names is not None and target in names:
        raise CannotDescribe(
            f"TARGET={target}: this is a feature of the model: name the column that it predicts"
        )
    matched = match_names([target], header)[0]
    if matched not in header:
        similar = find_similar(target, tuple(header))
        hint = f"did you mean {quoted(similar)}?" if similar else ""
        message = f"TARGET={target}: not a column of {sample.path}, which has {listed(header)}"
        raise CannotDescribe(with_hint(message, hint))
    return header.index(matched)


def _choose_names(
    sample: SampleFile, header: Sequence[str], width: int, target: int | None
) -> list[str]:
    """Return the names of all columns except the target, if there are as many as features."""
    names = [
        name
        for index, name in enumerate(header)
        if index != target and not (index == 0 and name in INDEX_NAMES)
    ]
    if len(names) == width:
        return names
    advice = "remove the columns that are not features"
    if target is None and len(names) == width + 1:
        advice = "set TARGET to the column that the model predicts, or remove it"
    raise CannotDescribe(
        f"{sample.path}: the model has {counted(width, 'feature')} without names, and the sample "
        f"{counted(len(names), 'column')} ({listed(names)}): {advice}"
    )


def _find_feature(sample: SampleFile, header: Sequence[str], name: str) -> int:
    if name in header:
        return header.index(name)
    similar = find_similar(name, tuple(header))
    hint = f"rename {quoted(similar)}?" if similar else "use a sample of the training data"
    raise CannotDescribe(
        f"{sample.path}: no column {quoted(name)}, which is a feature of the model; the columns "
        f"are {listed(header)}: {hint}"
    )


def _find_by_position(
    sample: SampleFile, names: Sequence[str] | None, width: int, target_name: str | None
) -> Columns:
    """Return the columns of a file without a header, which are in the model's order."""
    known = None if names is None else list(names)
    if target_name is None and sample.width == width:
        return Columns(list(range(width)), names=known)
    is_number = target_name is not None and target_name.isdecimal()
    if is_number and sample.width == width + 1 and 0 < int(target_name or 0) <= sample.width:
        target = int(target_name or 0) - 1
        return Columns([i for i in range(sample.width) if i != target], target, known)
    raise CannotDescribe(
        f"{sample.path} has no header: expected {width:,} columns, in the model's order, or "
        f"{width + 1:,} and the number of the target's column, such as TARGET=1; got "
        f"{sample.width:,} columns{f' and TARGET={target_name}' if target_name else ''}"
    )
