"""The knowledge in a model file: names, types, labels, objective and number of classes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model.schema.errors import CannotDescribe
from serve.errors import StartupError
from serve.model.artifact import ModelFile, find_model
from serve.model.booster import read_booster
from serve.model.booster_features import BoosterFeature, read_features
from serve.model.estimator import Estimator, read_estimator
from serve.model.files.names import SCHEMA_NAME
from serve.settings import Settings

BINARY_PREFIX, MULTI_PREFIX = "binary:", "multi:"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model without its schema.json.

    ``class_count`` is 0 for a model without classes. ``label_count`` is the number of labels that
    are predicted independently of each other, each with a probability, or 0.
    """

    file: ModelFile
    features: list[BoosterFeature]
    estimator: Estimator
    objective: str
    class_count: int
    label_count: int

    @property
    def names(self) -> list[str] | None:
        """The names of the features, or None if the model has none."""
        names = [feature.name for feature in self.features if feature.name is not None]
        return names or None

    @property
    def saved_classes(self) -> list[str | int]:
        """The names of the classes in the model; empty if it has none, or only their codes."""
        saved = list(self.estimator.classes or ())
        is_known = len(saved) == self.class_count and saved != list(range(self.class_count))
        return saved if is_known else []

    @property
    def schema_path(self) -> Path:
        """The schema.json that the server reads, or would read if it existed."""
        if self.file.schema:
            return self.file.schema
        # The members of an ensemble may be in several folders, and share the folder above these.
        folders = [member.path.parent for member in self.file.members]
        common = next(
            folder
            for folder in (folders[0], *folders[0].parents)
            if all(other.is_relative_to(folder) for other in folders)
        )
        return common / SCHEMA_NAME


def read_known_model(folder: Path, settings: Settings) -> KnownModel:
    """Return the model of a folder, or the first member of an ensemble; raises CannotDescribe."""
    try:
        file = find_model(folder, ensemble=settings.ensemble)
        booster = read_booster(file, allow_newer=settings.allow_newer)
        features = read_features(booster, file.writer_version, may_have_categories=True)
    except StartupError as error:
        raise CannotDescribe(str(error)) from error
    learner = json.loads(booster.save_config())["learner"]
    objective = learner["objective"]["name"]
    class_count, label_count = _count_classes(objective, learner["learner_model_param"])
    return KnownModel(file, features, read_estimator(booster), objective, class_count, label_count)


def _count_classes(objective: str, parameters: Mapping[str, str]) -> tuple[int, int]:
    """Return the number of classes, and of independent labels."""
    if objective.startswith(MULTI_PREFIX):
        return int(parameters["num_class"]), 0
    if not objective.startswith(BINARY_PREFIX):
        return 0, 0
    target_count = int(parameters.get("num_target", "1"))
    return (2, 0) if target_count <= 1 else (0, target_count)
