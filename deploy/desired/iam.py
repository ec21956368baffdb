"""The least that the execution role, whoever deploys, and whoever invokes must be allowed, as IAM policies."""

from typing import Any

from deploy.config.configuration import Configuration
from deploy.config.naming import Parameters, artifact_prefix, payload_key

Policy = dict[str, Any]
NAMESPACES = [
    "AWS/SageMaker",
    "/aws/sagemaker/Endpoints",
]  # of invocations, and of processors, memory and disks
INVOKE = ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync"]


def build_policies(configuration: Configuration) -> dict[str, Policy]:
    """Return the policies by name: execution (and who may assume it), deployment and invocation."""
    return {
        "execution": _policy(*_execution(configuration)),
        "execution-trust": _policy(
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ),
        "deployment": _policy(*_deployment(configuration)),
        "invocation": _policy(*_invocation(configuration)),
    }


def _execution(configuration: Configuration) -> list[Parameters]:
    asynchronous, capture, arn = (
        configuration.compute.asynchronous,
        configuration.capture,
        _arns(configuration),
    )
    written = [capture.destination] if capture else []
    written += (
        [place for place in (asynchronous.output, asynchronous.failure) if place]
        if asynchronous
        else []
    )
    statements = [
        _allow(
            ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
            arn["repository"],
        ),
        _allow(["ecr:GetAuthorizationToken"], "*"),
        _allow(["s3:GetObject"], arn["objects"]),
        _allow(
            [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ],
            arn["logs"],
        ),
        # A composite alarm, which those of the user may be, is shown only to who may see all.
        _allow(
            ["cloudwatch:DescribeAlarms"],
            "*" if configuration.update.alarms.names else arn["alarms"],
        ),
        _allow(
            ["cloudwatch:PutMetricData"],
            "*",
            {"StringEquals": {"cloudwatch:namespace": NAMESPACES}},
        ),
    ]
    statements += [
        _allow(["s3:PutObject"], f"{arn['s3']}:::{place.removeprefix('s3://').rstrip('/')}/*")
        for place in written
    ]
    if asynchronous:
        statements.append(
            _allow(
                ["s3:GetObject"],
                f"{arn['s3']}:::{asynchronous.output.removeprefix('s3://').partition('/')[0]}/*",
            )
        )
        topics = [
            topic for topic in (asynchronous.success_topic, asynchronous.error_topic) if topic
        ]
        statements += [_allow(["sns:Publish"], topics)] if topics else []
    if configuration.network.subnets:
        actions = [f"ec2:{action}" for action in (
            "CreateNetworkInterface", "CreateNetworkInterfacePermission", "DeleteNetworkInterface", "DeleteNetworkInterfacePermission",
            "DescribeNetworkInterfaces", "DescribeVpcs", "DescribeDhcpOptions", "DescribeSubnets", "DescribeSecurityGroups")]  # fmt: skip
        statements.append(_allow(actions, "*"))
    keys = [key for key in (configuration.kms.artifact_key, configuration.kms.volume_key) if key]
    return statements + ([_allow(["kms:Decrypt", "kms:GenerateDataKey"], keys)] if keys else [])


def _invocation(configuration: Configuration) -> list[Parameters]:
    arn, key = _arns(configuration), configuration.kms.artifact_key
    statements = [_allow(INVOKE, _sagemaker(configuration)["endpoint"])]
    if configuration.compute.asynchronous:
        payloads = f"{arn['s3']}:::{configuration.model.bucket}/{payload_key(configuration, '*')}"
        statements += [
            _allow(["s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject"], payloads),
            *_replies(configuration),
        ]
        statements += [_allow(["kms:GenerateDataKey"], key)] if key else []
    return statements


def _replies(configuration: Configuration) -> list[Parameters]:
    # Without ListBucket S3 calls a reply that is not there yet forbidden.
    asynchronous, s3 = configuration.compute.asynchronous, _arns(configuration)["s3"]
    places = (
        [
            place.removeprefix("s3://").rstrip("/")
            for place in (asynchronous.output, asynchronous.failure)
            if place
        ]
        if asynchronous
        else []
    )
    buckets = sorted({place.partition("/")[0] for place in places})
    return (
        [
            _allow(["s3:GetObject"], [f"{s3}:::{place}/*" for place in places]),
            _allow(["s3:ListBucket"], [f"{s3}:::{bucket}" for bucket in buckets]),
        ]
        if places
        else []
    )


def _deployment(configuration: Configuration) -> list[Parameters]:
    arn, own = _arns(configuration), _sagemaker(configuration)
    named = [
        f"sagemaker:{verb}{kind}"
        for kind in ("Model", "EndpointConfig", "Endpoint")
        for verb in ("Create", "Describe", "Delete")
    ]
    statements = [
        _allow([*named, "sagemaker:UpdateEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities", "sagemaker:AddTags", "sagemaker:DeleteTags", "sagemaker:ListTags", *INVOKE], list(own.values())),
        _allow(["sagemaker:ListModels", "sagemaker:ListEndpointConfigs", "cloudwatch:DescribeAlarms", "ec2:DescribeSubnets"], "*"),
        _allow(["sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"], "*"),  # auto scaling looks at configs of other names, too
        _allow(["iam:PassRole"], configuration.role, {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}),
        _allow(["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging", "s3:GetObjectTagging", "s3:DeleteObject"], arn["objects"]),
        _allow(["s3:ListBucket"], f"{arn['s3']}:::{configuration.model.bucket}"),
        _allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], arn["repository"]),
        _allow(["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:ListTagsForResource", "cloudwatch:TagResource", "cloudwatch:UntagResource"], arn["alarms"]),
        _allow([f"application-autoscaling:{action}" for action in (
            "RegisterScalableTarget", "DeregisterScalableTarget", "DescribeScalableTargets", "PutScalingPolicy", "DeleteScalingPolicy",
            "DescribeScalingPolicies", "DescribeScheduledActions", "PutScheduledAction")], "*"),
        _allow(["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"], f"{arn['aws']}:cloudwatch:{arn['place']}:alarm:TargetTracking-*"),
        _allow(["iam:CreateServiceLinkedRole"], "*", {"StringEquals": {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}}),
        _allow(["logs:FilterLogEvents"], arn["logs"]),
        *_replies(configuration),
    ]  # fmt: skip
    keys = [key for key in (configuration.kms.artifact_key, configuration.kms.volume_key) if key]
    return statements + (
        [_allow(["kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:DescribeKey"], keys)]
        if keys
        else []
    )


def _arns(configuration: Configuration) -> dict[str, str]:
    aws, name = ":".join(configuration.role.split(":")[:2]), configuration.name
    place = f"{configuration.region}:{configuration.role.split(':')[4]}"
    host, _, rest = configuration.image.partition("/")
    return {
        "aws": aws,
        "s3": f"{aws}:s3",
        "place": place,
        "repository": f"{aws}:ecr:{configuration.region}:{host.partition('.')[0]}:repository/{rest.partition('@')[0]}",
        "objects": f"{aws}:s3:::{configuration.model.bucket}/{artifact_prefix(configuration)}*",
        "logs": f"{aws}:logs:{place}:log-group:/aws/sagemaker/Endpoints/{name}*",
        "alarm": f"{aws}:cloudwatch:{place}:alarm",
        "alarms": f"{aws}:cloudwatch:{place}:alarm:{name}-*",
    }


def _sagemaker(configuration: Configuration) -> dict[str, str]:
    arn, name = _arns(configuration), configuration.name.lower()
    prefix = f"{arn['aws']}:sagemaker:{arn['place']}"
    return {
        "endpoint": f"{prefix}:endpoint/{name}",
        "config": f"{prefix}:endpoint-config/{name}-*",
        "model": f"{prefix}:model/{name}-*",
    }


def _policy(*statements: Parameters) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(
    actions: list[str], resources: str | list[str], condition: Parameters | None = None
) -> Parameters:
    statement: Parameters = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})
