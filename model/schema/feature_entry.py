"""Describe a feature for schema.json by what the model and the sample contain."""

from typing import Any

from model.schema.category_labels import choose_categories
from model.schema.column_facts import ColumnFacts
from model.schema.feature_source import FeatureSource
from model.schema.findings import Findings
from serve.text import quoted

Entry = dict[str, Any]
NUMBER, WHOLE_NUMBER, INDICATOR, CATEGORY = "float", "int", "i", "c"
# What a person has written in an existing entry, in addition to the keys of a new one.
KEPT_KEYS = ("unit", "missing_value")


def describe_feature(source: FeatureSource, findings: Findings) -> Entry:
    """Return the entry of a feature, with the keys in the order in which a person reads them.

    ``findings`` receives what could not be known. Raises CannotDescribe if the server needs labels
    that neither the model nor the sample contains.
    """
    existing, facts = source.existing, source.facts
    name = source.name or existing.get("name")
    type_ = source.in_model.type or _infer_type(facts) or existing.get("type", NUMBER)
    entry: Entry = {"name": name} if name else {}
    entry |= {"type": type_, "description": existing.get("description", "")}
    entry |= {key: existing[key] for key in KEPT_KEYS if key in existing}
    if type_ == CATEGORY:
        entry |= choose_categories(source, findings)
    elif type_ != INDICATOR:
        entry |= _describe_range(source)
    entry["missing"] = facts.has_missing if facts else existing.get("missing", True)
    if facts and type_ != CATEGORY:
        _note_cells(type_, source.label, facts, findings)
    return entry


def _infer_type(facts: ColumnFacts | None) -> str | None:
    """Return the type of a column whose type the model does not contain."""
    if facts is None:
        return None
    if facts.is_boolean:
        return INDICATOR
    return WHOLE_NUMBER if facts.is_whole and facts.low is not None else NUMBER


def _describe_range(source: FeatureSource) -> Entry:
    facts = source.facts
    if facts is None:
        return {"range": source.existing["range"]} if "range" in source.existing else {}
    if facts.low is None or facts.high is None:
        return {}
    limits = [facts.low, facts.high]
    return {"range": [int(limit) for limit in limits] if facts.is_whole else limits}


def _note_cells(type_: str, column: str, facts: ColumnFacts, findings: Findings) -> None:
    """Note cells that a numeric feature does not accept, or that may mean missing."""
    if facts.text is not None and not (type_ == INDICATOR and facts.is_boolean):
        findings.unknown.append(
            f"{column}: the model expects numbers, but the sample contains {quoted(facts.text)}: "
            "callers must send the number that training used for it"
        )
    for text, count in facts.suspects.items():
        times = "once" if count == 1 else f"{count:,} times"
        findings.unknown.append(
            f"{column}: {text} occurs {times}: if training took it for a missing value, "
            f'add "missing_value": {text} at the top level, and correct "range" and "missing"'
        )
