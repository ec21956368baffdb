"""Production variants: the containers behind an endpoint and their shares of its traffic."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from local_test.runtime.errors import ValidationError

DEFAULT_NAME = "AllTraffic"


@dataclass(frozen=True, slots=True)
class Variant:
    """A container at ``url``; ``weight`` is its share of the sum of all variants' weights."""

    name: str
    url: str
    weight: float = 1.0


def choose_variant(variants: Sequence[Variant], target: str | None) -> Variant:
    """Return the variant named by TargetVariant, or without a target one drawn by weight.

    Raises:
        ValidationError: the endpoint has no variant of this name.
    """
    if target is None:
        weights = [variant.weight for variant in variants]
        return random.choices(variants, weights)[0]  # noqa: S311  # not cryptographic
    for variant in variants:
        if variant.name == target:
            return variant
    names = ", ".join(variant.name for variant in variants)
    raise ValidationError(f"TargetVariant: expected one of {names}, got {target}")
