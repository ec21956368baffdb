"""What is there already of an endpoint."""

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.config.naming import OWNER_TAG, PREVIOUS_CONFIG_TAG, SERVING_CONFIG_TAG, Parameters
from deploy.desired.autoscaling import scalable_target_id
from deploy.desired.resources import Wanted
from deploy.errors import DeployError, error_code, error_message

ABSENT = {"404", "NoSuchKey", "NotFound", "ResourceNotFound", "ObjectNotFoundException"}
UNDER_WAY = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}


@dataclass(frozen=True, slots=True)
class Deployed:
    """What AWS says is there, in the words of its describing calls and with its tags; what is not there is empty."""

    uploaded: bool = False
    model: Parameters = field(default_factory=dict)
    config: Parameters = field(default_factory=dict)
    endpoint: Parameters = field(default_factory=dict)
    running_config: Parameters = field(default_factory=dict)
    running_model: Parameters = field(default_factory=dict)
    alarms: dict[str, Parameters] = field(default_factory=dict)
    others_alarms: frozenset[str] = frozenset()
    target: Parameters = field(default_factory=dict)
    policies: list[Parameters] = field(default_factory=list)
    scheduled: list[Parameters] = field(default_factory=list)

    @property
    def is_under_way(self) -> bool:
        """Tell whether AWS is changing the endpoint, and takes no other change meanwhile."""
        return self.endpoint.get("EndpointStatus") in UNDER_WAY

    @property
    def running(self) -> str | None:
        """Return the config that serves; while an update is under way it is the one before."""
        return self.endpoint.get("EndpointConfigName")

    @property
    def settled(self) -> str | None:
        """Return the config that served after the last update that succeeded, as far as it was written down."""
        return self._tags.get(SERVING_CONFIG_TAG)

    @property
    def previous(self) -> str | None:
        """Return the config before the one that serves."""
        # What was written down is one update behind where a run ended between its update and its tag.
        return (
            self.settled
            if self.settled not in (None, self.running)
            else self._tags.get(PREVIOUS_CONFIG_TAG)
        )

    @property
    def is_back(self) -> bool:
        """Tell whether a rollback has taken effect, but broke off before that was written down."""
        return (
            self.settled not in (None, self.running)
            and self._tags.get(PREVIOUS_CONFIG_TAG) == self.running
        )

    def before(self, config: str) -> str | None:
        """Return the config that rollback goes back to once ``config`` serves."""
        if self.endpoint.get("EndpointStatus") == "Failed":
            return None
        return self.running if self.running != config else self.previous

    @property
    def _tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.endpoint.get("Tags", [])}

    @property
    def instance_type(self) -> str | None:
        variants: list[Parameters] = self.running_config.get("ProductionVariants", [])
        return variants[0].get("InstanceType") if variants else None


def deployed(aws: Aws, name: str, wanted: Wanted | None = None) -> Deployed:
    """Ask what is there; raises DeployError for an endpoint of this name that is not this program's."""
    endpoint = tagged(
        aws, "EndpointArn", looked_up(aws, "sagemaker", "describe_endpoint", EndpointName=name)
    )
    if endpoint and {"Key": OWNER_TAG, "Value": name} not in endpoint["Tags"]:
        raise DeployError(
            f"the endpoint {name} was not made by this program (it has no tag {OWNER_TAG}={name}): choose another name"
        )
    running = looked_up(
        aws,
        "sagemaker",
        "describe_endpoint_config",
        EndpointConfigName=endpoint.get("EndpointConfigName"),
    )
    models = [variant["ModelName"] for variant in running.get("ProductionVariants", [])]
    model, config = (
        (wanted.model["ModelName"], wanted.endpoint["EndpointConfigName"])
        if wanted
        else (None, None)
    )
    target = scalable_target(aws, scalable_target_id(name))
    alarms, others_alarms = _alarms(aws, name)
    return Deployed(
        uploaded=bool(
            wanted
            and looked_up(
                aws, "s3", "head_object", Bucket=wanted.upload["Bucket"], Key=wanted.upload["Key"]
            )
        ),
        model=tagged(
            aws, "ModelArn", looked_up(aws, "sagemaker", "describe_model", ModelName=model)
        ),
        config=tagged(
            aws,
            "EndpointConfigArn",
            looked_up(aws, "sagemaker", "describe_endpoint_config", EndpointConfigName=config),
        ),
        endpoint=endpoint,
        running_config=running,
        running_model=looked_up(aws, "sagemaker", "describe_model", ModelName=models[0])
        if models
        else {},
        alarms=alarms,
        others_alarms=others_alarms,
        target=target,
        policies=_of_target(aws, name, "describe_scaling_policies", "ScalingPolicies")
        if target
        else [],
        scheduled=_of_target(aws, name, "describe_scheduled_actions", "ScheduledActions")
        if target
        else [],
    )


def scalable_target(aws: Aws, words: Parameters) -> Parameters:
    """Return the target that Application Auto Scaling knows by these words, empty if there is none."""
    asked = {key: words[key] for key in ("ServiceNamespace", "ScalableDimension")}
    targets = aws.call(
        "application-autoscaling",
        "describe_scalable_targets",
        ResourceIds=[words["ResourceId"]],
        **asked,
    )
    found: list[Parameters] = targets["ScalableTargets"]
    return found[0] if found else {}


def differs(wanted: Any, there: Any) -> bool:
    """Tell whether something is not there as it is wanted; what is there beyond that is no matter."""
    if isinstance(wanted, dict) and isinstance(there, dict):
        return any(differs(value, there.get(key)) for key, value in wanted.items() if key != "Tags")
    return bool(wanted != there)


def tagged(aws: Aws, arn: str, one: Parameters) -> Parameters:
    """Return something of SageMaker's with its tags; ``arn`` is the key of its ARN."""
    return (
        one | {"Tags": aws.call("sagemaker", "list_tags", ResourceArn=one[arn])["Tags"]}
        if one
        else one
    )


def own(aws: Aws, name: str, kind: str) -> list[Parameters]:
    """Return the models or endpoint configs that were made for an endpoint, newest first; ``kind`` is Model or EndpointConfig."""
    operation = {"Model": "list_models", "EndpointConfig": "list_endpoint_configs"}[kind]
    found = aws.paginate(
        "sagemaker",
        operation,
        f"{kind}s",
        NameContains=f"{name}-",
        SortBy="CreationTime",
        SortOrder="Descending",
    )
    mine = [one for one in found if one[f"{kind}Name"].startswith(f"{name}-")]
    return [
        one
        for one in mine
        if _is_own(aws, name, "Tags", "sagemaker", "list_tags", ResourceArn=one[f"{kind}Arn"])
    ]


def own_objects(aws: Aws, name: str, bucket: str, prefix: str) -> list[Parameters]:
    """Return what was uploaded for an endpoint under a prefix."""
    try:
        found = aws.paginate("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)
    except ClientError as error:
        if error_code(error) == "NoSuchBucket":
            return []
        raise
    return [
        one
        for one in found
        if _is_own(aws, name, "TagSet", "s3", "get_object_tagging", Bucket=bucket, Key=one["Key"])
    ]


def _is_own(aws: Aws, name: str, key: str, service: str, operation: str, **parameters: Any) -> bool:
    # What was listed may be gone by now, as when another run removes it.
    return {"Key": OWNER_TAG, "Value": name} in looked_up(
        aws, service, operation, **parameters
    ).get(key, [])


def _alarms(aws: Aws, name: str) -> tuple[dict[str, Parameters], frozenset[str]]:
    # Those that were made for an endpoint, with their tags; and the names of others that begin as theirs do.
    own, others = dict[str, Parameters](), set[str]()
    for alarm in aws.paginate(
        "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{name}-"
    ):
        tags = aws.call("cloudwatch", "list_tags_for_resource", ResourceARN=alarm["AlarmArn"])[
            "Tags"
        ]
        if {"Key": OWNER_TAG, "Value": name} in tags:
            own[alarm["AlarmName"]] = alarm | {"Tags": tags}
        else:
            others.add(alarm["AlarmName"])
    return own, frozenset(others)


def _of_target(aws: Aws, name: str, operation: str, key: str) -> list[Parameters]:
    return aws.paginate("application-autoscaling", operation, key, **scalable_target_id(name))


def looked_up(aws: Aws, service: str, operation: str, **parameters: Any) -> Parameters:
    """Return what a call describes, empty where that is not there, or nothing is asked for: a parameter is None."""
    if None in parameters.values():
        return {}
    try:
        return aws.call(service, operation, **parameters)
    except ClientError as error:
        if error_code(error) in ABSENT or "could not find" in error_message(error).lower():
            return {}
        raise
