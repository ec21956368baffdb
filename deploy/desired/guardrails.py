"""Builds the deployment guardrails of an update: the DeploymentConfig, which names its alarms."""

from deploy.config.configuration import Configuration
from deploy.config.naming import Parameters, drop_none


def build_deployment_config(
    configuration: Configuration, alarms: list[Parameters]
) -> Parameters | None:
    """Build the DeploymentConfig of an update, or return None for a serverless endpoint."""
    if configuration.compute.serverless:
        return None  # deployment guardrails require instances
    own_names = [alarm["AlarmName"] for alarm in alarms]
    # Without duplicates, which AWS rejects.
    names = dict.fromkeys([*own_names, *configuration.update.alarms.names])
    watched = [{"AlarmName": name} for name in names]
    return drop_none(
        _build_policy(configuration)
        | {"AutoRollbackConfiguration": {"Alarms": watched} if watched else None}
    )


def supports_guardrails(*configs: Parameters) -> bool:
    """Return whether all variants of the endpoint configs run on instances."""
    return all(
        "ServerlessConfig" not in variant
        for config in configs
        for variant in config.get("ProductionVariants", [])
    )


def _build_policy(configuration: Configuration) -> Parameters:
    update = configuration.update
    size = {"Type": "CAPACITY_PERCENT", "Value": update.step_percent}
    if update.strategy == "rolling":
        rolling = {
            "MaximumBatchSize": size,
            "WaitIntervalInSeconds": update.wait_seconds,
            "MaximumExecutionTimeoutInSeconds": update.timeout_seconds,
        }
        return {"RollingUpdatePolicy": rolling}
    routing: Parameters = {
        "Type": update.strategy.upper(),
        "WaitIntervalInSeconds": update.wait_seconds,
    }
    if update.strategy == "canary":
        routing["CanarySize"] = size
    if update.strategy == "linear":
        routing["LinearStepSize"] = size
    blue_green = {
        "TrafficRoutingConfiguration": routing,
        "TerminationWaitInSeconds": update.termination_wait_seconds,
        "MaximumExecutionTimeoutInSeconds": update.timeout_seconds,
    }
    return {"BlueGreenUpdatePolicy": blue_green}
