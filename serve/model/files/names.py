"""The names that have a meaning in the model directory."""

import re

STANDARD_NAMES = ("model.ubj", "model.json", "xgboost-model")
NUMBERED_NAME = re.compile(r"xgboost-model-(\d+)(?:\.ubj|\.json)?", re.ASCII | re.IGNORECASE)
# With one of these extensions, which people choose, a file with a number is a member if it is a
# model. With any other, such as .bak, it is not.
MEMBER_NAME = re.compile(
    rf"{NUMBERED_NAME.pattern}|xgboost-model-\d+"
    r"\.(?:bin|bst|dat|joblib|mdl|model|pickle|pkl|raw|sav|xgb)",
    re.ASCII | re.IGNORECASE,
)
NUMBER = re.compile(r"xgboost-model-(\d+)(?:\.|\Z)", re.ASCII | re.IGNORECASE)
SCHEMA_NAME = "schema.json"
SELF_TEST_NAME = "self-test"
CODE_NAME = "code"
MACOS_NAME = "__MACOSX"
# AWS's algorithm, and folders that training jobs commonly use.
CHECKPOINT_NAME = re.compile(r"(?:.*/)?(?:xgboost-checkpoint(?:\.\d+)?|checkpoints?/.*)")


def is_standard(base_name: str) -> bool:
    """Return whether a file has a standard name, in any case, as on macOS and Windows."""
    return base_name.lower() in STANDARD_NAMES


def is_checkpoint(name: str) -> bool:
    """Return whether a path is that of a training job's checkpoint."""
    return CHECKPOINT_NAME.fullmatch(name) is not None


def explain_skip(name: str) -> str:
    """Return why a path cannot be the model's, or "" if it can."""
    *folders, base_name = name.split("/")
    if MACOS_NAME in folders:
        return "metadata of macOS"
    if any(part.startswith(".") for part in (*folders, base_name)):
        return "hidden file"
    for folder in (CODE_NAME, SELF_TEST_NAME):
        if folder in folders:
            return f"in the {folder} directory"
    return "the schema" if base_name.lower() == SCHEMA_NAME else ""
