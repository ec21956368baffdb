"""The error of a damaged model file, and the limit on nesting."""

# The models that XGBoost writes have up to 8 levels. It reads nested values recursively: 100,000
# levels overflow a stack of 8 MiB.
MAX_LEVELS = 100
TOO_DEEP = f"is nested more than {MAX_LEVELS} levels deep, which no model is"


class Damaged(ValueError):
    """A model file is damaged; the message is a predicate, such as TOO_DEEP."""
