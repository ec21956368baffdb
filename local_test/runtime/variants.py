"""Production variants: the containers that stand behind an endpoint, and how often each is called."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from local_test.runtime.failures import ValidationError

DEFAULT_NAME = "AllTraffic"


@dataclass(frozen=True, slots=True)
class Variant:
    """A container under ``url`` that takes ``weight`` out of the sum of all variants' weights of the traffic."""

    name: str
    url: str
    weight: float = 1.0


def chosen(variants: Sequence[Variant], target: str | None) -> Variant:
    """Return the variant that TargetVariant names, else one by weight; raises ValidationError for an unknown name."""
    if target is None:
        return random.choices(variants, [variant.weight for variant in variants])[0]  # noqa: S311  # traffic is no secret
    for variant in variants:
        if variant.name == target:
            return variant
    raise ValidationError(
        f"Variant {target} is not one of this endpoint's: {', '.join(variant.name for variant in variants)}."
    )
