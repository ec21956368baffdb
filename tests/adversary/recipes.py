"""Recipes: the models and settings to attack, by name."""

from dataclasses import replace

from tests.adversary.columns import Column
from tests.adversary.training import Recipe

NUMBER, REQUIRED = Column(), Column(required=True)
TEXT_LABELS = ("Fair", "Good", "Very Good", "Premium", "Ideal")
# Labels that a careless reader takes for something else.
STRANGE_LABELS = (
    "1", "1.0", "01", "-0", "1e3", "nan", "NULL", "None", "NA", "true", "?", "é", "größer", "日本",
    "a,b", 'say "hi"', "semi;colon", "tab\there", " padded ", "padded", "two  blanks", "#", "[1]",
    "{}", "😀", "ERROR", "0:1", "1\u00a0000",
)  # fmt: skip
NUMBER_LABELS = ("3", "1", "2", "10", "-1", "2.5")


def label(labels: tuple[str, ...], *, required: bool = False, lenient: bool = False) -> Column:
    return Column("label", labels, len(labels), required, lenient)


def code(count: int, *, lenient: bool = False) -> Column:
    return Column("code", code_count=count, unknown_is_missing=lenient)


NUMBERS = (NUMBER,) * 6
MIXED = (REQUIRED, Column("boolean"), NUMBER, label(TEXT_LABELS), code(5), NUMBER,
         label(NUMBER_LABELS, required=True))  # fmt: skip
CODES = (NUMBER, code(8), Column("boolean"), NUMBER, code(3))
STRANGE = (NUMBER, label(STRANGE_LABELS), NUMBER, label(NUMBER_LABELS))
LENIENT = (NUMBER, label(TEXT_LABELS, lenient=True), code(6, lenient=True), NUMBER,
           label(STRANGE_LABELS, lenient=True))  # fmt: skip

MARKED = tuple(replace(column, marker=-999.0) for column in MIXED)
ZERO = replace(NUMBER, marker=0.0)
MARKED_SOME = (ZERO, NUMBER, replace(NUMBER, marker=0.1), replace(code(6), marker=0.0),
               label(TEXT_LABELS), replace(NUMBER, marker=-1e30))  # fmt: skip

LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
STRANGE_NAMES = ("a b", "c,d", 'e"f', "größe", "x;y", "1", "nan")
PADDED_NAMES = (" a", "b ", "c", "\td", "e f ", "g")
NUMBER_NAMES = ("1", "2", "3", "4", "5", "6")
BINARY_KEYS = "predicted_label,labels,probability,probabilities,raw_score,raw_scores"
MISSING = {"SERVE_UNKNOWN_CATEGORY": "missing"}
FLASK = {"SERVE_FRONTEND": "flask"}


def outputs(keys: str) -> dict[str, str]:
    return {"SAGEMAKER_INFERENCE_OUTPUT": keys}


RECIPES = {
    "squarederror": Recipe(NUMBERS),
    "logistic": Recipe(
        MIXED, LETTERS[:7], "binary:logistic", "binary", schema={},
        environment=outputs(BINARY_KEYS),
    ),
    "logitraw": Recipe(
        NUMBERS, STRANGE_NAMES[:6], "binary:logitraw", "binary",
        environment=outputs("raw_scores,predicted_label,raw_score,labels"),
    ),
    "hinge": Recipe(
        CODES, LETTERS[:5], "binary:hinge", "binary", schema={"libsvm_base": 1},
        environment=outputs("predicted_label,raw_scores,labels"),
    ),
    "softprob": Recipe(MIXED, STRANGE_NAMES, "multi:softprob", "classes", schema={}),
    "softprob-keys": Recipe(
        NUMBERS, None, "multi:softprob", "classes", environment=outputs(BINARY_KEYS)
    ),
    "softmax": Recipe(
        CODES, None, "multi:softmax", "classes", schema={},
        environment={**FLASK, **outputs("predicted_label,labels,raw_score")},
    ),
    "poisson": Recipe(
        MIXED, LETTERS[:7], "count:poisson", "counts", schema={},
        environment={"SERVE_ROW_ERRORS": "true"},
    ),
    "gamma": Recipe(NUMBERS, LETTERS[:6], "reg:gamma", "positive", environment=FLASK),
    "tweedie": Recipe(
        CODES, None, "reg:tweedie", "positive", schema={}, environment={"SERVE_LIBSVM_BASE": "1"}
    ),
    "ndcg": Recipe(
        NUMBERS, NUMBER_NAMES, "rank:ndcg", "ranks", environment={"SERVE_STREAMING": "true"}
    ),
    "aft": Recipe(
        STRANGE, LETTERS[:4], "survival:aft", "intervals", schema={"libsvm_base": 1},
        environment={"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/json"},
    ),
    "quantile": Recipe(
        NUMBERS, LETTERS[:6], "reg:quantileerror",
        parameters={"quantile_alpha": [0.1, 0.5, 0.9]}, environment=outputs("predicted_score"),
    ),
    "padded-names": Recipe(NUMBERS, PADDED_NAMES, "reg:pseudohubererror"),
    "several-targets": Recipe(NUMBERS, None, target="several"),
    "vector-leaves": Recipe(
        NUMBERS, LETTERS[:6], target="several", schema={},
        parameters={"multi_strategy": "multi_output_tree"}, environment=FLASK,
    ),
    "dart": Recipe(NUMBERS, None, parameters={"booster": "dart", "rate_drop": 0.3}),
    "gblinear": Recipe(NUMBERS, LETTERS[:6], parameters={"booster": "gblinear"}),
    "forest": Recipe(
        MIXED, LETTERS[:7], schema={}, rounds=2,
        parameters={"num_parallel_tree": 6, "subsample": 0.6, "learning_rate": 1.0},
    ),
    "lossguide": Recipe(
        STRANGE, STRANGE_NAMES[:4], schema={}, environment={"SERVE_ROW_ERRORS": "true"},
        parameters={"grow_policy": "lossguide", "tree_method": "hist", "max_leaves": 12},
    ),
    "labels-in-model": Recipe(
        (NUMBER, label(TEXT_LABELS), NUMBER, label(NUMBER_LABELS)), LETTERS[:4],
        labels_in_model=True,
    ),
    "lenient": Recipe(LENIENT, LETTERS[:5], schema={}, environment=MISSING),
    "marker": Recipe(
        MARKED, LETTERS[:7], schema={"missing_value": -999},
        environment={"SERVE_ROW_ERRORS": "true"},
    ),
    "markers": Recipe(
        MARKED_SOME, LETTERS[:6], "reg:absoluteerror", schema={"missing_value": 0},
        environment=FLASK,
    ),
    "ensemble": Recipe(
        MIXED, LETTERS[:7], schema={}, members=3, environment=outputs("predicted_score,spread")
    ),
    "vote": Recipe(NUMBERS, None, "multi:softmax", "classes", members=3),
    "early-stop": Recipe(NUMBERS, None, rounds=20, best_rounds=12),
    "one-column": Recipe((NUMBER,), ("x",), environment={"SERVE_STREAMING": "true"}),
    "one-label": Recipe(
        (label(STRANGE_LABELS),), None, schema={}, environment={"SERVE_ROW_ERRORS": "true"}
    ),
    "wide": Recipe((NUMBER,) * 150, None),
}  # fmt: skip
