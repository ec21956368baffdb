"""Builds the deployment guardrails of updates: CloudWatch alarms and the DeploymentConfig."""

from deploy.config.configuration import Configuration
from deploy.config.naming import VARIANT_NAME, Parameters, build_tags, drop_none

MICROSECONDS_PER_MS = 1000.0  # ModelLatency is in microseconds


def build_alarms(configuration: Configuration) -> list[Parameters]:
    """Build the PutMetricAlarm parameters of the file's own alarms."""
    name, alarms = configuration.name, configuration.update.alarms
    built = []
    if alarms.errors_5xx is not None:
        errors = {
            "AlarmName": f"{name}-errors-5xx",
            "MetricName": "Invocation5XXErrors",
            "Statistic": "Sum",
            "EvaluationPeriods": 1,
            "Threshold": float(alarms.errors_5xx),
        }
        built.append(errors | _shared_alarm_parameters(configuration))
    if alarms.latency_p99_ms is not None:
        latency = {
            "AlarmName": f"{name}-latency-p99",
            "MetricName": "ModelLatency",
            "ExtendedStatistic": "p99",
            "EvaluationPeriods": 3,
            "Threshold": alarms.latency_p99_ms * MICROSECONDS_PER_MS,
        }
        built.append(latency | _shared_alarm_parameters(configuration))
    return built


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


def _shared_alarm_parameters(configuration: Configuration) -> Parameters:
    return {
        "Namespace": "AWS/SageMaker",
        "Dimensions": [
            {"Name": "EndpointName", "Value": configuration.name},
            {"Name": "VariantName", "Value": VARIANT_NAME},
        ],
        "Period": 60,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        # An endpoint without traffic has no data; it must be possible to update it.
        "TreatMissingData": "notBreaching",
        "Tags": build_tags(configuration),
    }


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
