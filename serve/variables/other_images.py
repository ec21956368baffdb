"""Environment variables of other programs: AWS's images, its SDK, and Kubernetes.

Sources: SageMaker Containers, SageMaker Inference Toolkit, SageMaker XGBoost Container, the serving
images of TensorFlow, PyTorch, Triton and NVIDIA, and Kubernetes' documentation of Services.
"""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from serve.errors import BadSetting
from serve.text import quoted

PROGRAM = "SAGEMAKER_PROGRAM"
OFF = ("false", "0", "no", "off")
# Kubernetes adds these variables for a Service whose name begins with "serve", to each container
# of its namespace: SERVE_SERVICE_HOST, SERVE_PORT=tcp://10.0.0.1:80, SERVE_PORT_80_TCP_ADDR.
SERVICE_LINK = re.compile(
    r"SERVE(_[A-Z0-9_]+)?"
    r"_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
SERVICE_URL = re.compile(r"(tcp|udp|sctp)://.*")


class OtherVariable(NamedTuple):
    """Variables of another program, why they have no effect here, or what to use instead.

    In ``names``, * stands for any text. ``is_reported`` is true if a user who sets one expects
    the server to behave differently.
    """

    names: tuple[str, ...]
    reason: str
    is_reported: bool


OTHER_VARIABLES = (
    OtherVariable(
        (PROGRAM,), "prevents startup: user code is not supported yet", is_reported=False
    ),
    OtherVariable(
        ("SAGEMAKER_SUBMIT_DIRECTORY", "SAGEMAKER_SERVING_MODULE", "SAGEMAKER_REQUIREMENTS"),
        "user code is not run, and nothing is installed: the artifact is data",
        is_reported=True,
    ),
    OtherVariable(
        ("SAGEMAKER_BASE_DIR", "SAGEMAKER_MODEL_PATH"), "use `SM_MODEL_DIR`", is_reported=True
    ),
    OtherVariable(
        ("SAGEMAKER_NUM_MODEL_WORKERS", "SAGEMAKER_GUNICORN_WORKERS"),
        "use `SAGEMAKER_MODEL_SERVER_WORKERS`",
        is_reported=True,
    ),
    OtherVariable(
        ("SAGEMAKER_MAX_REQUEST_SIZE",),
        "use `SAGEMAKER_MAX_PAYLOAD_IN_MB` or `MAX_CONTENT_LENGTH`",
        is_reported=True,
    ),
    OtherVariable(
        ("SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS", "SAGEMAKER_TFS_WORKER_TIMEOUT_SECS"),
        "use `SAGEMAKER_MODEL_SERVER_TIMEOUT`",
        is_reported=True,
    ),
    OtherVariable(
        (
            "SAGEMAKER_TS_*",
            "SAGEMAKER_TFS_*",
            "SAGEMAKER_MMS_*",
            "SAGEMAKER_TRITON_*",
            "SAGEMAKER_GUNICORN_*",
            "SAGEMAKER_WORKER_CLASS_TYPE",
            "SAGEMAKER_KEEP_ALIVE_SEC",
            "SAGEMAKER_MODEL_SERVER_VMARGS",
            "SAGEMAKER_ADDITIONAL_MODEL_SERVER_OPTIONS",
        ),
        "configure another server; see docs/settings.md for the settings of this one",
        is_reported=True,
    ),
    OtherVariable(
        ("SAGEMAKER_ENABLE_CLOUDWATCH_METRICS", "SAGEMAKER_METRICS_DIRECTORY"),
        "the server writes no metrics; SageMaker publishes those of the endpoint",
        is_reported=True,
    ),
    OtherVariable(
        ("SAGEMAKER_ENABLE_STATEFUL_SESSIONS", "SAGEMAKER_SESSIONS_*"),
        "a prediction needs no session",
        is_reported=True,
    ),
    OtherVariable(("SAGEMAKER_REGION",), "the server does not call AWS", is_reported=False),
    OtherVariable(
        ("SAGEMAKER_SAFE_PORT_RANGE",),
        "there is one port: `SAGEMAKER_BIND_TO_PORT`",
        is_reported=False,
    ),
    OtherVariable(
        ("SAGEMAKER_BATCH_STRATEGY",),
        "the batch transform job decides; see [decision 13](decisions/0013-batch-transform.md)",
        is_reported=False,
    ),
    OtherVariable(("SAGEMAKER_USE_NGINX",), "the container runs without nginx", is_reported=False),
    OtherVariable(
        ("SAGEMAKER_STARTUP_TIMEOUT",),
        "only one server starts",
        is_reported=False,
    ),
    OtherVariable(
        (
            "SAGEMAKER_JOB_NAME",
            "SAGEMAKER_S3_OUTPUT",
            "SAGEMAKER_TRAINING_MODULE",
            "SAGEMAKER_MPI_ENABLED",
            "SAGEMAKER_PARAMETER_SERVER_ENABLED",
        ),
        "belong to training",
        is_reported=False,
    ),
    OtherVariable(("CA_REPOSITORY_ARN",), "nothing is installed at startup", is_reported=False),
)


def reject_user_code(env: Mapping[str, str]) -> None:
    """Raise BadSetting if the user expects their own code to run, until that is supported."""
    if program := env.get(PROGRAM, "").strip():
        raise BadSetting(
            f"{PROGRAM}={quoted(program)}: user code is not supported yet, and predictions "
            "without it may be wrong; unset the variable (in the SageMaker SDK: create the model "
            "without entry_point), and preprocess before the request"
        )


def is_of_other_program(name: str, value: str) -> bool:
    """Return whether a variable is known to belong to another program."""
    is_link = SERVICE_LINK.fullmatch(name) or (
        name.endswith("_PORT") and SERVICE_URL.fullmatch(value)
    )
    return bool(is_link) or _find_other(name) is not None


def explain_ineffective(env: Mapping[str, str]) -> dict[str, str]:
    """Map each variable that a user expects to have an effect here to the reason why it has none.

    A variable that is empty or disables something is not listed.
    """
    others = {
        name: _find_other(name)
        for name, value in sorted(env.items())
        if value.strip() and value.strip().lower() not in OFF
    }
    return {
        name: other.reason.replace("`", "")
        for name, other in others.items()
        if other and other.is_reported
    }


def _find_other(name: str) -> OtherVariable | None:
    for other in OTHER_VARIABLES:
        if any(fnmatchcase(name, pattern) for pattern in other.names):
            return other
    return None
