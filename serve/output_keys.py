"""The keys that SAGEMAKER_INFERENCE_OUTPUT and ``outputs=`` in Accept may select.

AWS's image has the keys up to raw scores, and predicted_score.
"""

import re
from difflib import get_close_matches

from serve.text import listed, quoted

PREDICTED_LABEL = "predicted_label"
LABELS = "labels"
PROBABILITY = "probability"
PROBABILITIES = "probabilities"
RAW_SCORE = "raw_score"
RAW_SCORES = "raw_scores"
PREDICTED_SCORE = "predicted_score"
SPREAD = "spread"
CLASS = "class"
CLASS_PROBABILITIES = "class_probabilities"
# The only output if no keys are selected.
SCORE = "score"
OUTPUT_KEYS = (
    PREDICTED_LABEL,
    LABELS,
    PROBABILITY,
    PROBABILITIES,
    RAW_SCORE,
    RAW_SCORES,
    PREDICTED_SCORE,
    SPREAD,
    CLASS,
    CLASS_PROBABILITIES,
    SCORE,
)
# The keys whose values are the names of classes, or have them.
CLASS_KEYS = (CLASS, CLASS_PROBABILITIES)
SEPARATORS = re.compile(r"[+,\s]+")


def parse_output_keys(text: str) -> tuple[str, ...]:
    """Return keys separated by commas, + or whitespace, in lower case, each once, in order.

    Raises ValueError, with the keys that exist or the closest of them.
    """
    keys = [key for key in SEPARATORS.split(text.lower()) if key]
    if not keys:
        raise ValueError(f"expected one or more of {listed(OUTPUT_KEYS)}")
    for key in keys:
        if key not in OUTPUT_KEYS:
            raise ValueError(_describe_unknown_key(key))
    return tuple(dict.fromkeys(keys))


def _describe_unknown_key(key: str) -> str:
    similar = get_close_matches(key, OUTPUT_KEYS, 1)
    hint = f"did you mean {quoted(similar[0])}?" if similar else f"expected {listed(OUTPUT_KEYS)}"
    return f"unknown key {quoted(key)}: {hint}"
