"""What is removed: all that was made for an endpoint, or only what no way back needs any more."""

from deploy.aws import Aws
from deploy.call import Call
from deploy.configuration import Configuration
from deploy.deployed import Deployed, own, own_objects
from deploy.naming import ARTEFACT, artefact_prefix
from deploy.plan import unscale_calls
from deploy.wanted import Wanted


def calls_down(aws: Aws, configuration: Configuration, there: Deployed) -> list[Call]:
    """Return the calls that remove all that was made, each before what it depends on."""
    name = configuration.name
    calls = list(unscale_calls(name, there, "scaling"))
    if there.alarms:
        calls.append(Call("cloudwatch", "delete_alarms", {"AlarmNames": sorted(there.alarms)}, "alarms"))
    if there.endpoint:
        calls.append(Call("sagemaker", "delete_endpoint", {"EndpointName": name}, "the endpoint"))
    return calls + _removals(configuration, _configs(aws, name), _models(aws, name), _objects(aws, configuration))


def calls_prune(aws: Aws, configuration: Configuration, wanted: Wanted, there: Deployed) -> list[Call]:
    """Return the calls that remove the configs, models and artefacts of neither the wanted config nor the one before it."""
    name, config, running = configuration.name, wanted.config["EndpointConfigName"], there.endpoint.get("EndpointConfigName")
    before = running if running != config else there.previous
    if before in (None, config):
        return []  # what rollback goes back to is not known, and may be any
    configs = _configs(aws, name)
    kept = {config, before}
    models, objects = {wanted.model["ModelName"]}, {wanted.upload["Key"]}
    for one in kept.intersection(configs) - {config}:
        described = aws.call("sagemaker", "describe_endpoint_config", EndpointConfigName=one)
        models |= {variant["ModelName"] for variant in described["ProductionVariants"]}
    known = _models(aws, name)
    for model in models.intersection(known) - {wanted.model["ModelName"]}:
        container = aws.call("sagemaker", "describe_model", ModelName=model)["PrimaryContainer"]
        objects.add(container["ModelDataUrl"].removeprefix(f"s3://{configuration.model.bucket}/"))
    artefacts = [key for key in _objects(aws, configuration) if key.endswith(f"/{ARTEFACT}")]
    return _removals(
        configuration,
        [one for one in configs if one not in kept],
        [one for one in known if one not in models],
        [one for one in artefacts if one not in objects],
        " older than the one before",
    )


def _removals(configuration: Configuration, configs: list[str], models: list[str], keys: list[str], which: str = "") -> list[Call]:
    bucket = configuration.model.bucket
    return [
        *(Call("sagemaker", "delete_endpoint_config", {"EndpointConfigName": one}, f"a configuration{which}") for one in configs),
        *(Call("sagemaker", "delete_model", {"ModelName": one}, f"a model{which}") for one in models),
        *(Call("s3", "delete_object", {"Bucket": bucket, "Key": one}, f"an artefact{which}") for one in keys),
    ]


def _configs(aws: Aws, name: str) -> list[str]:
    return [one["EndpointConfigName"] for one in own(aws, name, "EndpointConfig")]


def _models(aws: Aws, name: str) -> list[str]:
    return [one["ModelName"] for one in own(aws, name, "Model")]


def _objects(aws: Aws, configuration: Configuration) -> list[str]:
    return own_objects(aws, configuration.name, configuration.model.bucket, artefact_prefix(configuration))
