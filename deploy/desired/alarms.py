"""Builds the CloudWatch alarms that roll an update back, or start an endpoint's first instance."""

from deploy.config.configuration import Configuration
from deploy.config.naming import VARIANT_NAME, Parameters, build_tags
from deploy.desired.autoscaling import WAKE_POLICY, policy_arn_placeholder

MICROSECONDS_PER_MS = 1000.0  # ModelLatency is in microseconds


def build_rollback_alarms(configuration: Configuration) -> list[Parameters]:
    """Build the PutMetricAlarm parameters of the alarms that this program creates for updates."""
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


def build_wake_alarm(configuration: Configuration) -> Parameters | None:
    """Build the alarm that starts the first instance; None unless the endpoint scales to zero.

    Target tracking alone starts an instance only when the backlog exceeds its target.
    """
    if configuration.scaling is None or configuration.scaling.min > 0:
        return None
    return {
        "AlarmName": f"{configuration.name}-backlog-without-capacity",
        "AlarmActions": [policy_arn_placeholder(WAKE_POLICY)],
        "Namespace": "AWS/SageMaker",
        "MetricName": "HasBacklogWithoutCapacity",
        "Dimensions": [{"Name": "EndpointName", "Value": configuration.name}],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "missing",
        "Tags": build_tags(configuration),
    }


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
