"""Safe updates: the alarms, and how a new configuration takes over under their watch."""

from collections.abc import Sequence

from deploy.config.configuration import Configuration
from deploy.config.naming import VARIANT_NAME, Parameters, build_tags, drop_none


def build_alarms(configuration: Configuration) -> list[Parameters]:
    """Return the alarms that are made."""
    name, alarms = configuration.name, configuration.update.alarms
    shared = {
        "Namespace": "AWS/SageMaker",
        "Dimensions": [
            {"Name": "EndpointName", "Value": name},
            {"Name": "VariantName", "Value": VARIANT_NAME},
        ],
        "Period": 60,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",  # else an endpoint that nobody calls has no data, and no update passes
        "Tags": build_tags(configuration),
    }
    made = []
    if alarms.errors_5xx is not None:
        made.append(
            {
                "AlarmName": f"{name}-errors-5xx",
                "MetricName": "Invocation5XXErrors",
                "Statistic": "Sum",
                "EvaluationPeriods": 1,
                "Threshold": float(alarms.errors_5xx),
                **shared,
            }
        )
    if alarms.latency_p99_ms is not None:  # the metric counts microseconds
        made.append(
            {
                "AlarmName": f"{name}-latency-p99",
                "MetricName": "ModelLatency",
                "ExtendedStatistic": "p99",
                "EvaluationPeriods": 3,
                "Threshold": alarms.latency_p99_ms * 1000.0,
                **shared,
            }
        )
    return made


def supports_guardrails(*configs: Parameters) -> bool:
    """Tell whether AWS takes an update between these configs in steps and under alarms: all of them are of instances."""
    return all(
        "ServerlessConfig" not in variant
        for config in configs
        for variant in config.get("ProductionVariants", [])
    )


def build_deployment_config(
    configuration: Configuration, alarms: list[Parameters], but: Sequence[str] = ()
) -> Parameters | None:
    """Return how an update goes and what rolls it back, but for some alarms; None without instances."""
    update = configuration.update
    if configuration.compute.serverless:
        return None  # guardrails are for instances
    size = {"Type": "CAPACITY_PERCENT", "Value": update.step_percent}
    named = dict.fromkeys([*(alarm["AlarmName"] for alarm in alarms), *update.alarms.names])
    names = [name for name in named if name not in but]
    rollback = {"Alarms": [{"AlarmName": name} for name in names]} if names else None
    if update.strategy == "rolling":
        rolling = {
            "MaximumBatchSize": size,
            "WaitIntervalInSeconds": update.wait_seconds,
            "MaximumExecutionTimeoutInSeconds": update.timeout_seconds,
        }
        return drop_none({"RollingUpdatePolicy": rolling, "AutoRollbackConfiguration": rollback})
    traffic = {"Type": update.strategy.upper(), "WaitIntervalInSeconds": update.wait_seconds}
    traffic |= {"canary": {"CanarySize": size}, "linear": {"LinearStepSize": size}}.get(
        update.strategy, {}
    )
    policy = {
        "TrafficRoutingConfiguration": traffic,
        "TerminationWaitInSeconds": update.termination_wait_seconds,
        "MaximumExecutionTimeoutInSeconds": update.timeout_seconds,
    }
    return drop_none({"BlueGreenUpdatePolicy": policy, "AutoRollbackConfiguration": rollback})
