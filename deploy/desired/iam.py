"""Builds least-privilege IAM policies for the execution role, the deployer and the invoker."""

from typing import Any

from deploy.config.configuration import Configuration
from deploy.config.naming import Parameters
from deploy.desired import iam_actions
from deploy.desired.iam_arns import Arns

Policy = dict[str, Any]
SAGEMAKER = "sagemaker.amazonaws.com"
AUTO_SCALING = "sagemaker.application-autoscaling.amazonaws.com"
# Namespaces of SageMaker's metrics: of invocations, and of CPU, memory and disk.
METRIC_NAMESPACES = ["AWS/SageMaker", "/aws/sagemaker/Endpoints"]


def build_policies(configuration: Configuration) -> dict[str, Policy]:
    """Build the policies by name: execution, execution-trust, deployment and invocation.

    ``execution-trust`` is the trust policy of the execution role.
    """
    return {
        "execution": _policy(_execution_statements(configuration)),
        "execution-trust": _policy([_trust_statement()]),
        "deployment": _policy(_deployment_statements(configuration)),
        "invocation": _policy(_invocation_statements(configuration)),
    }


def _execution_statements(configuration: Configuration) -> list[Parameters]:
    arns, asynchronous = Arns(configuration), configuration.compute.asynchronous
    statements = [
        _allow([*iam_actions.PULL_IMAGE, "ecr:BatchCheckLayerAvailability"], arns.repository),
        _allow(["ecr:GetAuthorizationToken"], "*"),
        _allow(["s3:GetObject"], arns.uploads),
        _allow(iam_actions.WRITE_LOGS, arns.logs),
        # The user's alarms may be composite alarms, for which the resource must be "*".
        _allow(
            ["cloudwatch:DescribeAlarms"],
            "*" if configuration.update.alarms.names else arns.alarms,
        ),
        _allow(
            ["cloudwatch:PutMetricData"],
            "*",
            {"StringEquals": {"cloudwatch:namespace": METRIC_NAMESPACES}},
        ),
    ]
    written_uris = [*_capture_uris(configuration), *_response_uris(configuration)]
    statements += [_allow(["s3:PutObject"], arns.objects_under(uri)) for uri in written_uris]
    if asynchronous:
        statements.append(_allow(["s3:GetObject"], f"{arns.bucket_of(asynchronous.output)}/*"))
        topics = [asynchronous.success_topic, asynchronous.error_topic]
        if named_topics := [topic for topic in topics if topic]:
            statements.append(_allow(["sns:Publish"], named_topics))
    if configuration.network.subnets:
        statements.append(_allow(iam_actions.ATTACH_TO_VPC, "*"))
    if keys := _kms_keys(configuration):
        statements.append(_allow(["kms:Decrypt", "kms:GenerateDataKey"], keys))
    return statements


def _trust_statement() -> Parameters:
    return {
        "Effect": "Allow",
        "Principal": {"Service": SAGEMAKER},
        "Action": "sts:AssumeRole",
    }


def _deployment_statements(configuration: Configuration) -> list[Parameters]:
    arns = Arns(configuration)
    statements = [
        _allow(
            [*iam_actions.MANAGE_ENDPOINT, *iam_actions.INVOKE],
            [arns.endpoint, arns.endpoint_configs, arns.models],
        ),
        _allow(iam_actions.LIST_RESOURCES, "*"),
        _allow(iam_actions.DESCRIBE_ENDPOINTS, "*"),
        _allow(
            ["iam:PassRole"],
            configuration.role,
            {"StringEquals": {"iam:PassedToService": SAGEMAKER}},
        ),
        _allow(iam_actions.MANAGE_OBJECTS, arns.uploads),
        _allow(["s3:ListBucket"], arns.artifact_bucket),
        _allow(iam_actions.PULL_IMAGE, arns.repository),
        _allow(iam_actions.MANAGE_ALARMS, arns.alarms),
        _allow(iam_actions.MANAGE_SCALING, "*"),
        _allow(
            ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
            arns.target_tracking_alarms,
        ),
        _allow(
            ["iam:CreateServiceLinkedRole"],
            "*",
            {"StringEquals": {"iam:AWSServiceName": AUTO_SCALING}},
        ),
        _allow(["logs:FilterLogEvents"], arns.logs),
        *_response_statements(configuration),
    ]
    if keys := _kms_keys(configuration):
        statements.append(_allow(iam_actions.USE_KMS_KEYS, keys))
    return statements


def _invocation_statements(configuration: Configuration) -> list[Parameters]:
    arns, key = Arns(configuration), configuration.kms.artifact_key
    statements = [_allow(iam_actions.INVOKE, arns.endpoint)]
    if configuration.compute.asynchronous:
        statements.append(_allow(iam_actions.MANAGE_PAYLOADS, arns.payloads))
        statements += _response_statements(configuration)
        if key:
            statements.append(_allow(["kms:GenerateDataKey"], key))
    return statements


def _response_statements(configuration: Configuration) -> list[Parameters]:
    """Return the statements that allow waiting for asynchronous responses.

    Without ListBucket, S3 reports a missing object as forbidden instead of not found.
    """
    uris = _response_uris(configuration)
    if not uris:
        return []
    arns = Arns(configuration)
    buckets = sorted({arns.bucket_of(uri) for uri in uris})
    return [
        _allow(["s3:GetObject"], [arns.objects_under(uri) for uri in uris]),
        _allow(["s3:ListBucket"], buckets),
    ]


def _capture_uris(configuration: Configuration) -> list[str]:
    return [configuration.capture.destination] if configuration.capture else []


def _response_uris(configuration: Configuration) -> list[str]:
    asynchronous = configuration.compute.asynchronous
    if asynchronous is None:
        return []
    return [uri for uri in (asynchronous.output, asynchronous.failure) if uri]


def _kms_keys(configuration: Configuration) -> list[str]:
    kms = configuration.kms
    return [key for key in (kms.artifact_key, kms.volume_key) if key]


def _policy(statements: list[Parameters]) -> Policy:
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(
    actions: list[str], resources: str | list[str], condition: Parameters | None = None
) -> Parameters:
    statement: Parameters = {"Effect": "Allow", "Action": actions, "Resource": resources}
    if condition:
        statement["Condition"] = condition
    return statement
