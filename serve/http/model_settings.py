"""Settings whose effect depends on the model: check them once, at startup."""

import logging
from collections.abc import Sequence

import numpy as np

from serve.errors import BadSetting, NotAcceptable
from serve.logs import log_event
from serve.media.types import CSV, EXPLAIN
from serve.model.model import Model
from serve.outputs.scorer import check_outputs, choose_scorer, predict_columns
from serve.outputs.selection import find_null_keys
from serve.settings import Settings

OUTPUT_VARIABLE = "SAGEMAKER_INFERENCE_OUTPUT"
ACCEPT_VARIABLE = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"


def verify_model_settings(model: Model, settings: Settings) -> bool:
    """Return whether a response contains explanations by default.

    Raises BadSetting for outputs that this model does not have, and logs those that are null.
    """
    _verify_output_keys(model, settings.inference_output)
    _warn_about_null_keys(model, settings.inference_output)
    return _verify_default_accept(model, settings)


def _verify_output_keys(model: Model, keys: Sequence[str]) -> None:
    """Raise BadSetting for a key of SAGEMAKER_INFERENCE_OUTPUT that needs class names."""
    try:
        check_outputs(model, keys, CSV)
    except NotAcceptable as error:
        raise BadSetting(f"{OUTPUT_VARIABLE}: {error}") from error


def _verify_default_accept(model: Model, settings: Settings) -> bool:
    """Return whether the default media type requests an explanation.

    Raises BadSetting if this model does not support its parameters.
    """
    accept = settings.default_accept
    if accept is None:
        return False
    try:
        scorer = choose_scorer(model, accept.name, accept.parameters, settings.inference_output)
        scorer.predict(np.zeros((1, model.schema.width), dtype=np.float32))
    except NotAcceptable as error:
        raise BadSetting(f"{ACCEPT_VARIABLE}: {error}") from error
    return EXPLAIN in accept.parameters


def _warn_about_null_keys(model: Model, output_keys: Sequence[str]) -> None:
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
