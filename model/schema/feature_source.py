"""Everything that is known about one feature before it is described."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.schema.column_facts import ColumnFacts
from serve.model.booster_features import BoosterFeature
from serve.text import quoted


@dataclass(frozen=True, slots=True)
class FeatureSource:
    """The sources of a feature's entry in schema.json.

    Attributes:
        number: the feature's number, from 1.
        in_model: what the model contains.
        name: the name from the model or the sample, if either has one.
        facts: the facts about its column in the sample, if there is a sample.
        existing: the entry in the schema.json that is replaced; only what neither model nor sample
            contains is kept.

    """

    number: int
    in_model: BoosterFeature
    name: str | None
    facts: ColumnFacts | None
    existing: Mapping[str, Any]

    @property
    def label(self) -> str:
        """How messages name the column."""
        return f"column {self.number}" if self.name is None else f"column {quoted(self.name)}"
