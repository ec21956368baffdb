"""The gaps of moto filled: updates, endpoints that take their time, and what AWS refuses where moto is lax."""

from dataclasses import dataclass, field
from typing import Any

from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    applicationautoscaling_backends,
)
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.responses import ActionResult
from moto.ecr.responses import ECRResponse
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpointConfig, SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

STRICT = (
    "create_model", "create_endpoint_config", "create_endpoint", "describe_endpoint", "delete_endpoint", "delete_endpoint_config",
    "delete_model",
)  # fmt: skip
SETTLED = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")
MOTO = {name: getattr(SageMakerModelBackend, name) for name in STRICT}
REGISTER = ApplicationAutoscalingBackend.register_scalable_target
DEREGISTER = ApplicationAutoscalingBackend.deregister_scalable_target


@dataclass
class EndpointScript:
    """What endpoints do next: ``transitions`` is a list of (status, whether on the new config); and what was ``rejections``."""

    url: str = ""
    transitions: list[tuple[str, bool]] = field(default_factory=list)
    reason: str = "the alarm diamonds-errors-5xx went off"
    rejections: list[str] = field(default_factory=list)
    layer_base_url: str = ""  # where they are, if not here


_CURRENT_SCRIPT = [EndpointScript()]  # moto's state is one for the process


def patch_moto(script: EndpointScript) -> None:
    """Fill the gaps, with what this play says of endpoints."""
    _CURRENT_SCRIPT[:] = [script]
    FakeEndpointConfig.validate_instance_type = lambda *_: (
        None
    )  # moto knows old instance types only
    for name in (*STRICT, "add_tags"):
        setattr(SageMakerModelBackend, name, globals()[name])
    ApplicationAutoscalingBackend.register_scalable_target = register_scalable_target
    ApplicationAutoscalingBackend.deregister_scalable_target = deregister_scalable_target
    SageMakerResponse.update_endpoint = update_endpoint
    ECRResponse.get_download_url_for_layer = get_download_url_for_layer


def create_model(self: Any, **parameters: Any) -> Any:
    """Refuse a name that is taken."""
    _refuse(
        parameters["model_name"] in self._models,
        f'Cannot create already existing model "{parameters["model_name"]}".',
    )
    return MOTO["create_model"](self, **parameters)


def create_endpoint_config(self: Any, **parameters: Any) -> Any:
    """Refuse a name that is taken."""
    name = parameters["endpoint_config_name"]
    _refuse(
        name in self.endpoint_configs,
        f'Cannot create already existing endpoint configuration "{name}".',
    )
    return MOTO["create_endpoint_config"](self, **parameters)


def create_endpoint(self: Any, **parameters: Any) -> Any:
    """Refuse a name that is taken, and let the story begin."""
    name = parameters["endpoint_name"]
    _refuse(name in self.endpoints, f'Cannot create already existing endpoint "{name}".')
    endpoint = MOTO["create_endpoint"](self, **parameters)
    _begin(endpoint, parameters["endpoint_config_name"], "Creating")
    return endpoint


def describe_endpoint(self: Any, endpoint_name: str) -> Any:
    """Let the story of an endpoint go on by a step."""
    script, endpoint = _CURRENT_SCRIPT[0], self.endpoints.get(endpoint_name)
    if endpoint and endpoint.__dict__.get("transitions"):
        endpoint.endpoint_status, endpoint.endpoint_config_name = endpoint.transitions.pop(0)
        endpoint.failure_reason = (
            script.reason if script.transitions and endpoint.endpoint_status != "Updating" else None
        )
    described = {
        key: value
        for key, value in MOTO["describe_endpoint"](self, endpoint_name).items()
        if key not in ("Transitions", "Pending")
    }
    if endpoint and endpoint.endpoint_status not in SETTLED:
        described["PendingDeploymentSummary"] = {"EndpointConfigName": endpoint.pending}
    return described


def delete_endpoint(self: Any, endpoint_name: str) -> None:
    """Refuse while something is under way."""
    if endpoint := self.endpoints.get(endpoint_name):
        _refuse_in_progress(endpoint)
    MOTO["delete_endpoint"](self, endpoint_name)


def delete_endpoint_config(self: Any, endpoint_config_name: str) -> None:
    """Refuse what an endpoint has, or is about to have."""
    used = {
        name
        for one in self.endpoints.values()
        for name in (one.endpoint_config_name, *(config for _, config in one.transitions))
    }
    _refuse(
        endpoint_config_name in used,
        f'Cannot delete endpoint configuration "{endpoint_config_name}": an endpoint uses it.',
    )
    MOTO["delete_endpoint_config"](self, endpoint_config_name)


def delete_model(self: Any, model_name: str) -> None:
    """Refuse what a config names."""
    used = {
        variant["ModelName"]
        for config in self.endpoint_configs.values()
        for variant in config.production_variants
    }
    _refuse(model_name in used, f'Cannot delete model "{model_name}": a configuration uses it.')
    MOTO["delete_model"](self, model_name)


def register_scalable_target(
    self: Any, namespace: str, r_id: str, *others: Any, **more: Any
) -> Any:
    """Refuse an endpoint that is not there."""
    known = sagemaker_backends[self.account_id][self.region_name].endpoints
    _refuse(
        namespace == "sagemaker" and r_id.split("/")[1] not in known,
        f"Could not find endpoint of {r_id}.",
    )
    return REGISTER(self, namespace, r_id, *others, **more)


def deregister_scalable_target(self: Any, namespace: str, r_id: str, dimension: str) -> None:
    """Let the policies and scheduled actions of a target go with it."""
    DEREGISTER(self, namespace, r_id, dimension)
    self.policies = {
        key: policy for key, policy in self.policies.items() if policy.resource_id != r_id
    }
    self.scheduled_actions = [
        action for action in self.scheduled_actions if action.resource_id != r_id
    ]


def add_tags(self: Any, arn: str, tags: list[dict[str, str]]) -> list[dict[str, str]]:
    """Let a tag take the place of the one of its name."""
    names, resource = {tag["Key"] for tag in tags}, self._get_resource_from_arn(arn)
    resource.tags = [tag for tag in resource.tags if tag["Key"] not in names] + tags
    return list(resource.tags)


def update_endpoint(self: Any) -> ActionResult:
    """Let another config take over, as the story goes."""
    name, config = self._get_param("EndpointName"), self._get_param("EndpointConfigName")
    endpoint = self.sagemaker_backend.endpoints[name]
    self.sagemaker_backend.describe_endpoint_config(config)
    _refuse_in_progress(endpoint)
    _refuse_another_kind(
        self.sagemaker_backend.endpoint_configs, endpoint.endpoint_config_name, config
    )
    _refuse_update(self, endpoint, config)
    _begin(endpoint, config, "Updating")
    return ActionResult({"EndpointArn": endpoint.arn})


def get_download_url_for_layer(self: Any) -> ActionResult:
    """Return a presigned URL of a layer, which moto does not implement."""
    base_url = _CURRENT_SCRIPT[0].layer_base_url or _CURRENT_SCRIPT[0].url
    digest = self._get_param("layerDigest")
    return ActionResult({"downloadUrl": f"{base_url}/layers/{digest}?X-Amz-Signature=secret"})


def _begin(endpoint: Any, config: str, status: str) -> None:
    old = endpoint.endpoint_config_name
    endpoint.transitions = [
        (status, config if on_new else old)
        for status, on_new in _CURRENT_SCRIPT[0].transitions or [("InService", True)]
    ]
    endpoint.endpoint_status, endpoint.pending = status, config


def _refuse_in_progress(endpoint: Any) -> None:
    _refuse(
        endpoint.endpoint_status not in SETTLED,
        f'Cannot update in-progress endpoint "{endpoint.arn}".',
    )


def _refuse_another_kind(configs: Any, old: str, new: str) -> None:
    # AWS's guide: of a serverless endpoint AWS makes one with instances, and nothing else.
    serverless = [
        bool(configs[name].production_variants[0].get("ServerlessConfig")) for name in (old, new)
    ]
    queued = [bool(getattr(configs[name], "async_inference_config", None)) for name in (old, new)]
    _refuse(
        serverless == [False, True],
        "You cannot convert your instance-based endpoint to a serverless endpoint.",
    )
    _refuse(
        queued[0] != queued[1],
        "The AsyncInferenceConfig parameter cannot be added to or removed from this endpoint.",
    )


def _refuse_update(self: Any, endpoint: Any, config: str) -> None:
    account, region, configs = (
        self.current_account,
        self.region,
        self.sagemaker_backend.endpoint_configs,
    )
    types = {
        configs[name].production_variants[0].get("InstanceType")
        for name in (endpoint.endpoint_config_name, config)
    }
    targets = applicationautoscaling_backends[account][region].targets.get(
        "sagemaker:variant:DesiredInstanceCount", {}
    )
    scaled = any(target.split("/")[1] == endpoint.endpoint_name for target in targets)
    _refuse(
        scaled and len(types) > 1,
        f'The instance type of "{endpoint.arn}" cannot change under scaling.',
    )
    deployment = self._get_param("DeploymentConfig") or {}
    _refuse(bool(deployment) and None in types, "Deployment guardrails are for instances.")
    names = {
        alarm["AlarmName"]
        for alarm in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    }
    unknown = names - cloudwatch_backends[account][region].alarms.keys()
    _refuse(bool(unknown), f"Could not find the alarms {sorted(unknown)}.")


def _refuse(wrong: bool, message: str) -> None:  # noqa: FBT001 - the condition reads as one
    if wrong:
        _CURRENT_SCRIPT[0].rejections.append(message)
        raise ValidationError(message=message)
