"""Agreement: the schema that a booster and schema.json make together, refused where they contradict each other."""

import json
from collections.abc import Sequence
from dataclasses import replace

import xgboost

from serve.errors import BadArtifact
from serve.model.artifact import SCHEMA_NAME
from serve.model.categories import code_counts_of, has_cut_labels, labels_of
from serve.model.schema_file import LIBSVM_BASE, MOST_CODES, Description, SchemaFile
from serve.schema.feature import CodeFeature, Feature, LabelFeature
from serve.schema.schema import Schema
from serve.settings import Settings
from serve.text import counted, listed, quoted

NUMERIC_TYPES = {"float", "int", "q"}


def merge_schema(
    booster: xgboost.Booster,
    writer: tuple[int, ...],
    described: SchemaFile | None,
    settings: Settings,
) -> Schema:
    """Return the features that the booster knows and what schema.json adds; raises BadArtifact where they contradict."""
    said = described.features if described else None
    own = _descriptions(booster, may_have_categories=any(each.type == "c" for each in said or ()))
    trusted = [
        replace(each, categories=()) if has_cut_labels(each.categories, writer) else each
        for each in own
    ]
    if said is not None and len(said) != len(own):
        raise BadArtifact(
            f"{SCHEMA_NAME} describes {counted(len(said), 'feature')}, the model has {len(own):,}"
        )
    merged = [
        _merged(*each)
        for each in zip(range(1, len(own) + 1), said or trusted, trusted, strict=True)
    ]
    for place, (each, all_of_it) in enumerate(zip(merged, own, strict=True), 1):
        _check_categories(place, each, all_of_it)
    names = (
        None
        if any(each.name is None for each in merged)
        else tuple(str(each.name) for each in merged)
    )
    features = tuple(
        _feature(each, unknown_is_missing=settings.unknown_category == "missing") for each in merged
    )
    return Schema(features, names, _libsvm_base(described, settings.libsvm_base))


def check_classes(described: SchemaFile | None, outputs: int) -> None:
    """Raise BadArtifact for classes in schema.json that are not as many as a model with so many outputs tells apart.

    One output tells two apart, whatever the objective: a custom one is not in the model.
    """
    expected = max(outputs, 2)
    if (
        described is not None
        and described.classes is not None
        and len(described.classes) != expected
    ):
        outputs_told = f"{counted(outputs, 'output')}, which {'tells' if outputs == 1 else 'tell'} {expected} apart"
        listed_here = f'it lists {len(described.classes):,} "classes"'
        raise BadArtifact(
            f'{SCHEMA_NAME}, "prediction": {listed_here}, but the model has {outputs_told}'
        )


def _descriptions(booster: xgboost.Booster, *, may_have_categories: bool) -> list[Description]:
    """Return what the booster itself knows of its features, in order."""
    width = booster.num_features()
    names: Sequence[str | None] = booster.feature_names or [None] * width
    types: Sequence[str | None] = booster.feature_types or [None] * width
    if {len(names), len(types)} != {width}:
        raise BadArtifact(
            f"the model has {counted(width, 'feature')}, but {len(names):,} names and {len(types):,} types of them"
        )
    if "c" not in types and not may_have_categories:
        return [Description(name, type_) for name, type_ in zip(names, types, strict=True)]
    learner = json.loads(booster.save_raw("json"))["learner"]
    known = zip(
        names, types, labels_of(learner, width), code_counts_of(learner, width), strict=True
    )
    return [Description(*each) for each in known]


def _check_categories(place: int, merged: Description, own: Description) -> None:
    """Raise BadArtifact for categories that the feature cannot have, and for fewer than the trees know.

    With a label left out, those behind it would have the codes of others: a wrong number without an error.
    """
    where, count = f"{SCHEMA_NAME}, feature {place}", len(merged.categories)
    if merged.type != "c" and (count or merged.codes):
        raise BadArtifact(f'{where}: it has "categories" or "codes", but its "type" is not "c"')
    if own.categories and not count:
        raise BadArtifact(
            f"feature {place} ({quoted(merged.name)}): XGBoost before 3.4 cuts labels that are not ASCII when it writes them; "
            f'list them in {SCHEMA_NAME} as "categories", in the order of their codes'
        )
    if own.categories and count != len(own.categories):
        raise BadArtifact(
            f'{where}: it has {count:,} "categories", but the model has {len(own.categories):,}: list all of them'
        )
    if (count or merged.codes) < own.codes:
        said = f'{count:,} "categories"' if count else f'{merged.codes:,} "codes"'
        raise BadArtifact(
            f"{where}: it has {said}, but the trees ask for codes up to {own.codes - 1:,}: "
            "say all of the training's categories, in the order of their codes"
        )


def _merged(place: int, described: Description, own: Description) -> Description:
    """Return what schema.json says of a feature, completed by the booster; raises BadArtifact where they contradict."""
    for key in ("name", "type", "categories"):
        theirs, ours = getattr(described, key), getattr(own, key)
        if (
            theirs
            and ours
            and theirs != ours
            and not (key == "type" and {theirs, ours} <= NUMERIC_TYPES)
        ):
            raise BadArtifact(
                f'{SCHEMA_NAME}, feature {place}: its "{key}" is {_said(theirs)}, but the model knows {_said(ours)}'
            )
    return Description(
        described.name or own.name,
        described.type or own.type,
        described.categories or own.categories,
        described.codes or own.codes,
        described.missing,
    )


def _said(value: str | tuple[str, ...]) -> str:
    return quoted(value) if isinstance(value, str) else listed(value)


def _feature(known: Description, *, unknown_is_missing: bool) -> Feature:
    if known.type != "c":
        return Feature(known.type or "q", known.missing)
    if known.categories:
        return LabelFeature("c", known.missing, known.categories, unknown_is_missing)
    return CodeFeature(
        "c", known.missing, known.codes or MOST_CODES, unknown_is_missing
    )  # 0: no split asks for the category


def _libsvm_base(described: SchemaFile | None, setting: int | None) -> int:
    """Return the index of the first feature in text/libsvm, never guessed; raises BadArtifact if two say different ones."""
    own = described.libsvm_base if described else None
    if None not in (own, setting) and own != setting:
        raise BadArtifact(
            f'{SCHEMA_NAME} says "{LIBSVM_BASE}": {own}, but SERVE_LIBSVM_BASE is {setting}'
        )
    return own or setting or 0
