"""Name the classes of a classifier, and check their order by the model's own predictions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.schema.column_facts import ColumnFacts
from model.schema.findings import Findings
from model.schema.known_model import KnownModel
from model.schema.scores import Scores, score_classes
from serve.text import counted, is_number, listed, quoted, shortened

ClassName = str | int
MAX_SHOWN_LABELS = 8
# A mean counts as different if it differs by as many standard errors.
MIN_STANDARD_ERRORS = 3


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the classes that the model predicts match the labels of the rows, in sorted order.

    ``order`` contains the code of each label, or is None if the predictions do not show it.
    """

    order: list[int] | None
    row_count: int
    shares: NDArray[np.float64]

    def describe(self, order: list[int]) -> str:
        """Return the share of rows whose own class is predicted if the labels have these codes."""
        share = sum(self.shares[label, code] for label, code in enumerate(order))
        return f"{100 * share:.1f}% of {counted(self.row_count, 'row')}"


def name_classes(
    model: KnownModel, target: str, facts: ColumnFacts, scores: Scores, findings: Findings
) -> list[ClassName] | None:
    """Return the names of the classes in the order of their codes, or None if they are unknown."""
    names = sort_labels(facts)
    if len(names) != model.class_count:
        findings.unknown.append(
            f"the names of the classes: the model has {model.class_count:,}, but "
            f"{target} contains {counted(len(names), 'label')}: "
            f"{shortened(list(map(quoted, names)), MAX_SHOWN_LABELS)}"
        )
        return None
    if names == list(range(model.class_count)):
        findings.unknown.append(
            f"the names of the classes: {target} contains only their codes, "
            f'{listed(names)}: replace these in "classes" by names, in the same order'
        )
        return None
    agreement = compare_classes(model, [str(label) for label in names], scores)
    in_order = list(range(len(names)))
    if agreement.order is None:
        findings.unknown.append(
            "the names of the classes: the model's predictions do not show which code is which "
            f"(sorted labels would be right for {agreement.describe(in_order)}): if "
            f'training used sorted labels, write "classes": [{listed(names)}]'
        )
        return None
    ordered = [names[agreement.order.index(code)] for code in in_order]
    findings.inferred.append(_describe_order(ordered, target, agreement, in_order))
    return ordered


def sort_labels(facts: ColumnFacts) -> list[ClassName]:
    """Return the labels as LabelEncoder sorts them: as numbers if all are numbers, else as text."""
    labels = list(facts.values)
    if not all(map(is_number, labels)):
        return sorted(labels)
    numbers = sorted({float(label) for label in labels})
    if all(number.is_integer() for number in numbers):
        return [int(number) for number in numbers]
    return sorted(labels, key=float)


def compare_classes(model: KnownModel, labels: list[str], scores: Scores) -> Agreement:
    """Return how the predictions for rows with each label differ from those for the others.

    A label has the class whose mean score is highest above that of all labels. The means do not
    depend on how frequent a label is.
    """
    by_class = score_classes(scores.predictions, model.objective, model.class_count)
    own = np.array([_find_label(text, labels) for text in scores.targets])
    is_label = own == np.arange(len(labels))[:, None]
    counts = is_label.sum(axis=1)
    predicted = np.eye(model.class_count)[by_class.argmax(axis=1)] if len(own) else by_class
    shares = is_label.astype(float) @ predicted / max(len(own), 1)
    if not counts.all():
        return Agreement(None, len(own), shares)
    means = is_label.astype(float) @ by_class / counts[:, None]
    lifts = means - means.mean(axis=0)
    errors = by_class.std(axis=0) / np.sqrt(counts)[:, None]
    order = lifts.argmax(axis=1)
    rows = np.arange(len(labels))
    is_clear = (lifts > MIN_STANDARD_ERRORS * errors)[rows, order].all()
    is_permutation = len(set(order)) == len(labels)
    return Agreement(order.tolist() if is_clear and is_permutation else None, len(own), shares)


def _find_label(text: str, labels: list[str]) -> int:
    if text in labels:
        return labels.index(text)
    return [float(label) for label in labels].index(float(text))


def _describe_order(
    ordered: list[ClassName], target: str, agreement: Agreement, in_order: list[int]
) -> str:
    pairs = ", ".join(f"{code} is {quoted(name)}" for code, name in enumerate(ordered))
    if agreement.order == in_order:
        return (
            f"classes: {pairs}: the sorted labels of {target}, as scikit-learn's "
            f"LabelEncoder numbers them; the model predicts them for "
            f"{agreement.describe(in_order)}"
        )
    return (
        f"classes: {pairs}: not the sorted labels of {target}, but as the model predicts "
        f"them for {agreement.describe(agreement.order or in_order)}; sorted, they would be right "
        f"for {agreement.describe(in_order)}"
    )
