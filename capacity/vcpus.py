"""The vCPU of an instance type."""

import difflib
import re
from functools import cache

import botocore.session

# In these families, and without exception, large has 2, xlarge 4 and Nxlarge 4 x N: tests/capacity/test_refusals.py compares each
# type with another's data. Not so in c4 and t2.
FAMILIES = frozenset({
    "m4", "m5", "m5d", "m6g", "m6gd", "m6i", "m7i", "m8g", "c5", "c5d", "c6g", "c6gd", "c6gn", "c6i", "c6in", "c7g", "c7i", "c8g",
    "r5", "r5d", "r6g", "r6gd", "r6i", "r7gd", "r7i", "r8g",
})  # fmt: skip
SMALL = {"medium": 1, "large": 2, "xlarge": 4}


class UnknownVcpus(Exception):
    """The vCPU of a type are not known; the message says why, and the way out."""


def vcpus_of(instance_type: str) -> int:
    """Return the vCPU of an instance type of the CPU families that boto3 knows; raises UnknownVcpus."""
    known = instance_types()
    if instance_type not in known:
        near = difflib.get_close_matches(instance_type, known, 1)
        question = f" (did you mean {near[0]}?)" if near else ""
        raise UnknownVcpus(
            f"boto3 knows no instance type {instance_type}{question}: if it is newer, give its vCPU with --vcpus"
        )
    _, family, size = instance_type.split(".")
    times = re.fullmatch(r"(\d+)xlarge", size)
    if family not in FAMILIES or not (times or size in SMALL):
        raise UnknownVcpus(
            f"the vCPU of {instance_type} are not known here, only those of the CPU families: give them with --vcpus"
        )
    return 4 * int(times[1]) if times else SMALL[size]


@cache
def instance_types() -> tuple[str, ...]:
    """Return the instance types of endpoints that this boto3 knows."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    return tuple(model.shape_for("ProductionVariantInstanceType").enum)
