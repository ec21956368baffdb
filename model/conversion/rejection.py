"""Say why an unpickled object is not a model that can be converted, and what to do instead."""

from typing import Any

from model.conversion.inert_pickle import Inert
from serve.text import listed

# What some of scikit-learn's objects do that an XGBoost model does not.
ACTIVITIES = {
    "ColumnTransformer": "which transforms columns and predicts nothing",
    "CalibratedClassifierCV": "which changes the probabilities that its models predict",
    "TransformedTargetRegressor": "which changes the predictions of its model",
}
PACKAGES = {"sklearn": "scikit-learn", "imblearn": "imbalanced-learn"}
# Set by searches over parameters, which predict with this estimator.
BEST_ESTIMATOR = "best_estimator_"
# What an object is called whose class has an unclear name.
NAMES = {"ndarray": "NumPy array", "NoneType": "None", "type": "class or a function"}
EXPECTED = "expected an XGBoost model"
ONE_MODEL = "expected one XGBoost model"
MAX_DEPTH = 3


def describe_rejection(pickled: Any, expression: str = "pipeline") -> str:
    """Return what an object is, and what to do, as the end of a message.

    ``expression`` is what the object may be called in Python.
    """
    if (best := find_best_estimator(pickled)) is not None:
        search = f"it is {with_article(name_of(pickled))} whose {BEST_ESTIMATOR} is"
        return describe_rejection(best, f"search.{BEST_ESTIMATOR}").replace("it is", search, 1)
    if isinstance(pickled, dict):
        return _describe_dict(pickled)
    if isinstance(pickled, list | tuple):
        return _describe_list(pickled)
    if isinstance(pickled, Inert):
        return _describe_object(pickled, expression)
    return f"it is {with_article(name_of(pickled))}: {EXPECTED}"


def find_best_estimator(pickled: Any) -> Inert | None:
    """Return the estimator that a search over parameters predicts with, if it is one."""
    best = pickled.attributes.get(BEST_ESTIMATOR) if isinstance(pickled, Inert) else None
    return best if isinstance(best, Inert) else None


def name_of(value: Any) -> str:
    """Return the name of an object's class."""
    name = value.name if isinstance(value, Inert) else type(value).__name__
    return NAMES.get(name, name)


def with_article(name: str) -> str:
    """Return "an XGBRegressor", "a Booster", "None"."""
    if name == "None":
        return name
    return f"an {name}" if name[:1] in "AEIOXaeio" else f"a {name}"


def _describe_object(pickled: Inert, expression: str) -> str:
    if pickled.name.endswith("SearchCV"):
        return f"it is a {pickled.name} without {BEST_ESTIMATOR}: fit it with refit=True"
    if pickled.attributes.get("steps") is not None:
        return _describe_pipeline(pickled, expression)
    if _package_of(pickled) == "sklearn":
        return _describe_scikit_learn(pickled)
    return _describe_foreign(pickled)


def _describe_dict(contents: dict[Any, Any]) -> str:
    if not contents:
        return f"it is an empty dict: {EXPECTED}"
    key = next((key for key, value in contents.items() if _has_model(value)), None)
    keys = listed(str(key) for key in contents)
    if key is None:
        return f"it is a dict with the keys {keys}: {EXPECTED}"
    return (
        f"it is a dict with the keys {keys}: {ONE_MODEL}; "
        f'save it alone with joblib.dump(contents[{key!r}], "model.joblib")'
    )


def _describe_list(items: list[Any] | tuple[Any, ...]) -> str:
    kind, names = name_of(items), listed(name_of(item) for item in items)
    if not any(map(_has_model, items)):
        return (
            f"it is a {kind} of {names}: {EXPECTED}"
            if items
            else f"it is an empty {kind}: {EXPECTED}"
        )
    return (
        f"it is a {kind} of {names}: {ONE_MODEL}; "
        'save each alone, such as with joblib.dump(models[0], "model-0.joblib")'
    )


def _describe_pipeline(pipeline: Inert, expression: str) -> str:
    """Describe a Pipeline of scikit-learn or of a package that extends it."""
    package = PACKAGES.get(_package_of(pipeline), _package_of(pipeline))
    steps = list(pipeline.attributes["steps"])
    names = listed(f"{step[0]} ({name_of(step[1])})" for step in steps)
    what = f"it is a {package} {pipeline.name} with the steps {names}"
    model = next((number for number, step in enumerate(steps) if _has_model(step[1])), None)
    if model is None:
        return f"{what}: {EXPECTED}"
    index = -1 if model == len(steps) - 1 else model
    return (
        f"{what}: the server runs only the XGBoost model; save that alone with "
        f'joblib.dump({expression}[{index}], "model.joblib"), convert it, '
        "and apply the other steps before calling the endpoint"
    )


def _describe_scikit_learn(pickled: Inert) -> str:
    what = f"it is a scikit-learn {pickled.name}"
    if activity := ACTIVITIES.get(pickled.name):
        what += f", {activity}"
    if not _has_model(pickled):
        return f"{what}: {EXPECTED}"
    return (
        f"{what}: the server runs only one XGBoost model; "
        "convert that alone, and do the rest where you call the endpoint"
    )


def _describe_foreign(pickled: Inert) -> str:
    what = f"it is {with_article(f'{pickled.module}.{pickled.name}')}"
    if not _has_model(pickled):
        return f"{what}: {EXPECTED}"
    return (
        f"{what}, which contains an XGBoost model: {ONE_MODEL}; "
        "save that alone, such as with model.get_booster().save_model('model.ubj')"
    )


def _package_of(pickled: Inert) -> str:
    return pickled.module.partition(".")[0]


def _has_model(value: Any, depth: int = 0) -> bool:
    """Return whether an object is or contains a model of XGBoost."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(value, Inert):
        if _package_of(value) == "xgboost":
            return True
        parts = [*value.attributes.values(), *value.arguments]
    elif isinstance(value, dict):
        parts = list(value.values())
    else:
        parts = list(value) if isinstance(value, list | tuple) else []
    return any(_has_model(part, depth + 1) for part in parts)
