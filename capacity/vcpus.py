"""The number of vCPUs of an instance type, derived from its name."""

import difflib
import re
from functools import cache

import botocore.session

# In these families, large has 2 vCPUs, xlarge 4 and Nxlarge 4 x N, without exception.
# tests/capacity/test_startup_errors.py compares each type with EC2's list. c4 and t2 differ.
FAMILIES = frozenset({
    "m4", "m5", "m5d", "m6g", "m6gd", "m6i", "m7i", "m8g",
    "c5", "c5d", "c6g", "c6gd", "c6gn", "c6i", "c6in", "c7g", "c7i", "c8g",
    "r5", "r5d", "r6g", "r6gd", "r6i", "r7gd", "r7i", "r8g",
})  # fmt: skip
VCPUS_BY_SIZE = {"medium": 1, "large": 2, "xlarge": 4}


class UnknownVcpus(Exception):
    """The number of vCPUs of an instance type is not known; the message says what to do."""


def look_up_vcpus(instance_type: str) -> int:
    """Return the vCPUs of an instance type in a CPU family that boto3 lists.

    Raises UnknownVcpus for any other type.
    """
    known_types = list_instance_types()
    if instance_type not in known_types:
        matches = difflib.get_close_matches(instance_type, known_types, 1)
        suggestion = f" (did you mean {matches[0]}?)" if matches else ""
        raise UnknownVcpus(
            f"unknown instance type {instance_type}{suggestion}; "
            "if it is newer than this boto3, set --vcpus"
        )
    _, family, size = instance_type.split(".")
    multiple = re.fullmatch(r"(\d+)xlarge", size)
    if family not in FAMILIES or not (multiple or size in VCPUS_BY_SIZE):
        raise UnknownVcpus(
            f"cannot derive the vCPUs of {instance_type} from its name, "
            "only those of the common CPU families; set --vcpus"
        )
    return 4 * int(multiple[1]) if multiple else VCPUS_BY_SIZE[size]


@cache
def list_instance_types() -> tuple[str, ...]:
    """Return the instance types of endpoints that the installed boto3 lists."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    return tuple(model.shape_for("ProductionVariantInstanceType").enum)
