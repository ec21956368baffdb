"""Settings whose effect depends on the model: check them once, at startup."""

import logging
from collections.abc import Sequence

import numpy as np

from serve.errors import BadSetting, NotAcceptable
from serve.logs import log_event
from serve.media.types import EXPLAIN
from serve.model.model import Model
from serve.outputs.scorer import choose_scorer, predict_columns
from serve.outputs.selection import find_null_keys
from serve.settings import Settings

OUTPUT_VARIABLE = "SAGEMAKER_INFERENCE_OUTPUT"
ACCEPT_VARIABLE = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"


def verify_default_accept(model: Model, settings: Settings) -> bool:
    """Return whether the default media type requests an explanation.

    Raises BadSetting if this model does not support the explanation.
    """
    accept = settings.default_accept
    if accept is None or EXPLAIN not in accept.parameters:
        return False
    try:
        scorer = choose_scorer(model, accept.name, accept.parameters, settings.inference_output)
        scorer.predict(np.zeros((1, model.schema.width), dtype=np.float32))
    except NotAcceptable as error:
        raise BadSetting(f"{ACCEPT_VARIABLE}: {error}") from error
    return True


def warn_about_null_keys(model: Model, output_keys: Sequence[str]) -> None:
    """Log the keys of SAGEMAKER_INFERENCE_OUTPUT that are null in every response of this model."""
    if not output_keys:
        return
    columns = predict_columns(
        model, np.zeros((1, model.schema.width), dtype=np.float32), output_keys
    )
    if null_keys := find_null_keys(output_keys, columns):
        log_event(
            logging.WARNING,
            "inference output always null",
            variable=OUTPUT_VARIABLE,
            keys=null_keys,
            objective=model.objective,
        )
