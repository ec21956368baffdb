"""Say what a pickle contains, and what to do about it, by the classes that it refers to."""

import re

from serve.model.files.model_format import UBJSON_START
from serve.model.foreign.formats import CONVERT, ONLY_XGBOOST, SAVE_MODEL, Foreign, Likelihood
from serve.model.foreign.pickles import is_container, list_classes

UNPICKLING = "is never loaded because it can run arbitrary code"
# scikit-learn's searches over parameters, such as GridSearchCV
SEARCH_CLASS = re.compile(r"sklearn\.model_selection\._search\w*\.")
PIPELINE_CLASS = re.compile(r"sklearn\.pipeline\.")
JSON_START = b'{"learner":'


def describe_pickle(content: bytes, noun: str, head: bytes) -> Foreign:
    """Return what a pickle is, which may be truncated.

    ``head`` is its beginning, and ``noun`` is "a pickle" or what it is compressed with.
    """
    classes = list_classes(content) or list_classes(head)
    ours = next((name for name in classes if name.startswith("xgboost.")), "")
    # The first class is the class of the pickled object.
    first = classes[0] if classes else ""
    predicate = f"is {noun}, which {UNPICKLING}"
    if PIPELINE_CLASS.match(first):
        fix = (
            "save the last step alone with pipeline[-1].save_model('model.ubj'), "
            "and send the features that the other steps return"
        )
        return Foreign(f"{predicate}; it contains a scikit-learn Pipeline", fix, Likelihood.MODEL)
    if ours:
        return _describe_ours(predicate, content, first, ours)
    return _describe_other(predicate, content, first)


def _describe_ours(predicate: str, content: bytes, first: str, ours: str) -> Foreign:
    """Return what a pickle is that contains a class of XGBoost."""
    fix = SAVE_MODEL
    if SEARCH_CLASS.match(first):
        contents = f"{first.rpartition('.')[2]} with {ours}"
        fix = "save the best model with search.best_estimator_.save_model('model.ubj')"
    elif first != ours or is_container(content):
        outer = first if first != ours else "a dict or a list"
        return Foreign(f"{predicate}; it contains {outer} with {ours}", fix, Likelihood.MODEL)
    else:
        contents = ours
    return _describe_convertible(f"{predicate}; it contains {contents}", fix)


def _describe_other(predicate: str, content: bytes, first: str) -> Foreign:
    """Return what a pickle is that contains no class of XGBoost, as far as it was read."""
    if first:
        return Foreign(f"{predicate}; it contains {first}", ONLY_XGBOOST, Likelihood.FOREIGN)
    if UBJSON_START in content or JSON_START in content:
        fix = "write these to the file model.ubj instead"
        return Foreign(f"{predicate}; it contains the bytes of a model", fix, Likelihood.MODEL)
    if content.endswith(b"."):  # the pickle's end
        return Foreign(f"{predicate}; it contains no model", SAVE_MODEL)
    return _describe_convertible(predicate, SAVE_MODEL)


def _describe_convertible(predicate: str, fix: str) -> Foreign:
    convert = f"or, if you trust the file, convert it: {CONVERT} TRUST=yes"
    return Foreign(predicate, f"{fix}; {convert}", Likelihood.CONVERTIBLE)
