"""Choose the labels of a categorical feature, or the number of its codes."""

from collections.abc import Sequence
from typing import Any

from model.schema.column_facts import ColumnFacts
from model.schema.errors import CannotDescribe
from model.schema.feature_source import FeatureSource
from model.schema.findings import Findings
from serve.model.schema_json.label_traces import LabelTraces
from serve.text import counted, is_number, listed

Document = dict[str, Any]


def choose_categories(source: FeatureSource, findings: Findings) -> Document:
    """Return the key "categories", "codes" or neither, as far as they are certain.

    A wrong order would give wrong predictions without an error, so labels that the model does not
    contain are only proposed. Raises CannotDescribe.
    """
    labels = source.in_model.labels
    if isinstance(labels, LabelTraces):
        return {"categories": _complete_traces(labels, source)}
    if labels:
        _note_unknown_labels(labels, source, findings)
        return {"categories": list(labels)}
    if "categories" in source.existing:
        return {"categories": source.existing["categories"]}
    findings.unknown.append(f"{source.label}: {_explain_codes(source.facts)}")
    return _count_codes(source)


def _complete_traces(traces: LabelTraces, source: FeatureSource) -> list[str]:
    """Return the labels that XGBoost truncated; the traces of them must confirm their order."""
    count, facts = len(traces.offsets) - 1, source.facts
    candidates = [source.existing.get("categories", [])]
    if facts is not None and facts.has_all_values:
        candidates += [sorted(facts.values), list(facts.values)]
    for labels in candidates:
        if len(labels) == count and not traces.find_contradiction(tuple(labels)):
            return list(labels)
    found = "set SAMPLE to a file with all of them"
    if facts is not None:
        found = f"the sample has {counted(len(facts.values), 'label')}: {listed(facts.values)}"
    raise CannotDescribe(
        f"{source.label}: the model contains only parts of its {count:,} labels, because XGBoost "
        f"before 3.4 truncates those that are not ASCII; {found}"
    )


def _note_unknown_labels(labels: Sequence[str], source: FeatureSource, findings: Findings) -> None:
    known = set(labels)
    values = source.facts.values if source.facts else ()
    if unknown := [value for value in values if value not in known]:
        findings.unknown.append(
            f"{source.label}: the sample contains {listed(unknown)}, which the model does not "
            "know: the server rejects it"
        )


def _explain_codes(facts: ColumnFacts | None) -> str:
    message = (
        "the model contains the codes of its categories, but not their labels: callers must send "
        'codes, unless you list "categories" in place of "codes", in the order of the codes'
    )
    if facts is None or not facts.has_all_values or all(map(is_number, facts.values)):
        return message
    return f"{message}; pandas sorts them by default: {listed(sorted(facts.values))}"


def _count_codes(source: FeatureSource) -> Document:
    """Return the number of codes that the trees, the sample or schema.json have, if any."""
    facts = source.facts
    counts = [source.in_model.splits.code_count, source.existing.get("codes", 0)]
    if facts is not None and facts.is_whole and facts.high is not None and facts.text is None:
        counts.append(int(facts.high) + 1)
    return {"codes": max(counts)} if max(counts) else {}
