"""Inferences, and gaps in the knowledge about a model, as sentences for the report."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Findings:
    """Sentences for a person, in the order in which they were found."""

    inferred: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
