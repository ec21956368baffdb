"""The kinds of endpoints, of which AWS changes few into others."""

from deploy.config.naming import Parameters
from deploy.errors import DeployError

# Of a serverless endpoint AWS makes one with instances, for good; of no other kind another one. Sources: "Update your serverless
# endpoint" in AWS's guide; for asynchronous ones aws/sagemaker-python-sdk#3124, and the way to them is taken to be closed, too.
FOR_GOOD = ("a serverless", "a real-time")


def kind_of(config: Parameters) -> str:
    """Return the kind of endpoint that a config makes, with its article."""
    if any("ServerlessConfig" in variant for variant in config.get("ProductionVariants", [])):
        return "a serverless"
    return "an asynchronous" if config.get("AsyncInferenceConfig") else "a real-time"


def verify_kind(name: str, running: Parameters, config: Parameters) -> None:
    """Raise DeployError for a config of another kind than the one that runs, if AWS would refuse it."""
    before, after = kind_of(running), kind_of(config)
    if running and before != after and (before, after) != FOR_GOOD:
        raise DeployError(
            f"{name} is {before} endpoint, and AWS makes no {after.partition(' ')[2]} one of it: give the new one another name, "
            f"let its callers move, and then take {name} down"
        )


def is_for_good(running: Parameters, config: Parameters) -> bool:
    """Tell whether AWS takes this change, and no way back."""
    return bool(running) and (kind_of(running), kind_of(config)) == FOR_GOOD
