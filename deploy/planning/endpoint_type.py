"""Checks whether AWS can change an endpoint of one type into another.

Types are serverless, asynchronous and real-time. AWS converts a serverless endpoint to one with
instances, permanently, and rejects every other conversion. Sources: "Update your serverless
endpoint" in the SageMaker guide; aws/sagemaker-python-sdk#3124 for asynchronous endpoints.
"""

from deploy.config.naming import Parameters
from deploy.errors import DeployError

SERVERLESS, ASYNCHRONOUS, REAL_TIME = "serverless", "asynchronous", "real-time"


def find_endpoint_type(config: Parameters) -> str:
    """Return the type of the endpoint that an endpoint config creates."""
    if any("ServerlessConfig" in variant for variant in config.get("ProductionVariants", [])):
        return SERVERLESS
    return ASYNCHRONOUS if config.get("AsyncInferenceConfig") else REAL_TIME


def verify_endpoint_type(name: str, serving: Parameters, config: Parameters) -> None:
    """Raise DeployError if AWS cannot update an endpoint to a config of this type."""
    if not serving or is_permanent_change(serving, config):
        return
    old, new = find_endpoint_type(serving), find_endpoint_type(config)
    if old != new:
        raise DeployError(
            f"cannot update {name}: AWS does not convert {old} endpoints to {new}; deploy a new "
            f"endpoint under another name, switch the clients to it, then delete {name} with down"
        )


def is_permanent_change(serving: Parameters, config: Parameters) -> bool:
    """Return whether AWS allows this change of type, but not a rollback of it."""
    if not serving:
        return False
    return find_endpoint_type(serving) == SERVERLESS and find_endpoint_type(config) == REAL_TIME
