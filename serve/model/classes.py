"""The classes of a classifier: their names, and the threshold between two of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serve.model.estimator import Estimator
from serve.model.schema_json.file import SchemaFile

DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Classes:
    """The names of the classes, in the order of the model's outputs.

    ``threshold`` is the probability above which the second of two classes is predicted. If
    ``independent``, each output is the probability of one name, and a record may have several.
    """

    names: tuple[str | int, ...]
    threshold: float = DEFAULT_THRESHOLD
    independent: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(map(str, self.names))


def read_classes(
    schema_file: SchemaFile | None, learner: Mapping[str, Any], estimator: Estimator
) -> Classes | None:
    """Return the classes that schema.json or else the estimator names, or None if neither does.

    Both must have been checked. ``learner`` is the object of this name in the configuration.
    """
    names = schema_file.classes if schema_file else None
    names = names or estimator.class_names
    if names is None:
        return None
    threshold = schema_file.threshold if schema_file else None
    independent = int(learner["learner_model_param"].get("num_target", 1)) > 1
    return Classes(names, DEFAULT_THRESHOLD if threshold is None else threshold, independent)
