"""Plans the deletion of an endpoint and everything created for it."""

from collections.abc import Iterator

from deploy.actual.state import ActualState
from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.planning.autoscaling import detach_scaling
from deploy.planning.call import Call
from deploy.planning.restoration import plan_alarm_restoration
from deploy.planning.scaling_policies import list_foreign_scaling
from deploy.planning.stored_releases import list_stored_releases, plan_deletion


def plan_removal(aws: Aws, configuration: Configuration, actual: ActualState) -> list[Call]:
    """Plan the calls that delete everything created for an endpoint, dependents first."""
    return [
        *_plan_endpoint_removal(configuration.name, actual),
        *plan_deletion(configuration, list_stored_releases(aws, configuration)),
    ]


def describe_leftovers(configuration: Configuration) -> str:
    """Describe the data of an endpoint that remains after its removal."""
    asynchronous, capture = configuration.compute.asynchronous, configuration.capture
    leftovers = [f"the log group /aws/sagemaker/Endpoints/{configuration.name}"]
    if capture:
        leftovers.append(f"captured data in {capture.destination}")
    if asynchronous:
        leftovers.append(f"responses in {asynchronous.output}")
    if asynchronous and asynchronous.failure:
        leftovers.append(f"failures in {asynchronous.failure}")
    bucket = configuration.model.bucket
    leftovers.append(f"old versions of artifacts, if the bucket {bucket} has versioning enabled")
    return "; ".join(leftovers)


def _plan_endpoint_removal(name: str, actual: ActualState) -> Iterator[Call]:
    if actual.target:
        yield detach_scaling(name, actual, _describe_scaling_removal(actual))
    if actual.alarms:
        undo = plan_alarm_restoration(actual) if actual.endpoint else []
        names = {"AlarmNames": sorted(actual.alarms)}
        yield Call("cloudwatch", "delete_alarms", names, "delete the alarms", undo)
    if actual.endpoint:
        endpoint = {"EndpointName": name}
        yield Call("sagemaker", "delete_endpoint", endpoint, "delete the endpoint")


def _describe_scaling_removal(actual: ActualState) -> str:
    if foreign := list_foreign_scaling(actual):
        return f"delete scaling, including what this program did not create ({', '.join(foreign)})"
    return "delete scaling"
