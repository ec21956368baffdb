"""What is removed: all that was made for an endpoint, or only what no way back needs any more."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from deploy.actual import Deployed, looked_up, own, own_objects
from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.config.naming import ARTIFACT_FILE_NAME, Parameters, artifact_prefix
from deploy.desired.resources import Wanted
from deploy.planning.autoscaling import alarms_again_calls, others, unscale_call
from deploy.planning.call import Call


def calls_down(aws: Aws, configuration: Configuration, there: Deployed) -> list[Call]:
    """Return the calls that remove all that was made, each before what it depends on."""
    name, calls = configuration.name, list[Call]()
    if there.target:
        why = ", and with it of others: ".join(
            ["scaling", *([", ".join(others(there))] if others(there) else [])]
        )
        calls.append(unscale_call(name, there, why))
    if there.alarms:
        names = {"AlarmNames": sorted(there.alarms)}
        calls.append(
            Call(
                "cloudwatch",
                "delete_alarms",
                names,
                "alarms",
                alarms_again_calls(there) if there.endpoint else [],
            )
        )
    if there.endpoint:
        calls.append(Call("sagemaker", "delete_endpoint", {"EndpointName": name}, "the endpoint"))
    configs, models = own(aws, name, "EndpointConfig"), own(aws, name, "Model")
    return [*calls, *_removals(configuration, configs, models, _objects(aws, configuration))]


def what_stays(configuration: Configuration) -> str:
    """Return in words what an endpoint leaves behind when it is removed."""
    asynchronous, capture = configuration.compute.asynchronous, configuration.capture
    places = [
        f"the log group /aws/sagemaker/Endpoints/{configuration.name}",
        *([f"what was captured in {capture.destination}"] if capture else []),
        *([f"replies in {asynchronous.output}"] if asynchronous else []),
        *([f"failures in {asynchronous.failure}"] if asynchronous and asynchronous.failure else []),
        f"old versions of artifacts, if the bucket {configuration.model.bucket} keeps them",
    ]
    return "; ".join(places)


def calls_prune(
    aws: Aws, configuration: Configuration, wanted: Wanted, there: Deployed
) -> list[Call]:
    """Return the calls that remove the configs, models and artifacts older than the wanted config, but of the one before."""
    name, config = configuration.name, wanted.config["EndpointConfigName"]
    before = there.before(config)
    if before in (None, config) or there.is_under_way:
        return []  # what rollback goes back to is not known, and may be any
    configs, known = own(aws, name, "EndpointConfig"), own(aws, name, "Model")
    if before not in [one["EndpointConfigName"] for one in configs]:
        return []  # it was made by hand, and of what, is not known
    # What is newer may be of another run, which is about to serve it.
    since = next(
        (one["CreationTime"] for one in configs if one["EndpointConfigName"] == config), None
    )
    old = [
        one for one in _older(configs, since) if one["EndpointConfigName"] not in (config, before)
    ]
    kept = [
        one["EndpointConfigName"]
        for one in configs
        if one not in old and one["EndpointConfigName"] != config
    ]
    models, objects = {wanted.model["ModelName"]}, {wanted.upload["Key"]}
    for one in kept:
        described = looked_up(aws, "sagemaker", "describe_endpoint_config", EndpointConfigName=one)
        models |= {variant["ModelName"] for variant in described.get("ProductionVariants", [])}
    for model in models.intersection(one["ModelName"] for one in known) - {
        wanted.model["ModelName"]
    }:
        container = looked_up(aws, "sagemaker", "describe_model", ModelName=model).get(
            "PrimaryContainer", {}
        )
        objects.add(
            container.get("ModelDataUrl", "").removeprefix(f"s3://{configuration.model.bucket}/")
        )
    old_models = [one for one in _older(known, since) if one["ModelName"] not in models]
    artifacts = [
        one
        for one in _objects(aws, configuration)
        if one["Key"].endswith(f"/{ARTIFACT_FILE_NAME}") and one["Key"] not in objects
    ]
    return list(
        _removals(
            configuration,
            old,
            old_models,
            _older(artifacts, since, "LastModified"),
            " older than the one before",
        )
    )


def _removals(
    configuration: Configuration,
    configs: list[Parameters],
    models: list[Parameters],
    objects: list[Parameters],
    which: str = "",
) -> Iterator[Call]:
    for service, operation, key, ones, what in (
        ("sagemaker", "delete_endpoint_config", "EndpointConfigName", configs, "a configuration"),
        ("sagemaker", "delete_model", "ModelName", models, "a model"),
        ("s3", "delete_object", "Key", objects, "an artifact"),
    ):
        place = {"Bucket": configuration.model.bucket} if service == "s3" else {}
        for one in ones:
            yield Call(service, operation, place | {key: one[key]}, f"{what}{which}")


def _older(
    ones: Sequence[Parameters], since: datetime | None, key: str = "CreationTime"
) -> list[Parameters]:
    return [one for one in ones if since is None or one[key] < since]


def _objects(aws: Aws, configuration: Configuration) -> list[Parameters]:
    return own_objects(
        aws, configuration.name, configuration.model.bucket, artifact_prefix(configuration)
    )
