"""The --variant option: NAME=FOLDER:WEIGHT."""

import math
from dataclasses import dataclass
from pathlib import Path

import click

from serve.text import quoted

EXAMPLE = "blue=model/artifact:9"


@dataclass(frozen=True, slots=True)
class VariantOption:
    """A production variant to start: its name, its artifact's folder and its weight."""

    name: str
    folder: Path
    weight: float = 1.0


class VariantOptionType(click.ParamType[VariantOption]):
    """Converts NAME=FOLDER:WEIGHT to a VariantOption."""

    name = "NAME=FOLDER:WEIGHT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> VariantOption:
        """Return the option's value; raises click.BadParameter."""
        text = str(value)
        name, _, location = text.partition("=")
        folder, _, weight = location.rpartition(":")
        if not (name and folder and _is_weight(weight)):
            message = f"expected {self.name}, for example {EXAMPLE}, got {quoted(text)}"
            self.fail(message, param, ctx)
        return VariantOption(name, Path(folder), float(weight))


def _is_weight(text: str) -> bool:
    try:
        weight = float(text)
    except ValueError:
        return False
    return math.isfinite(weight) and weight >= 0
