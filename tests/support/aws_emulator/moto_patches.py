"""Patches moto: endpoint updates, endpoint statuses over time, and errors that only AWS raises."""

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

PATCHED = (
    "create_model",
    "create_endpoint_config",
    "create_endpoint",
    "describe_endpoint",
    "delete_endpoint",
    "delete_endpoint_config",
    "delete_model",
)
FINAL_STATUSES = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")
MOTO = {name: getattr(SageMakerModelBackend, name) for name in PATCHED}
REGISTER = ApplicationAutoscalingBackend.register_scalable_target
DEREGISTER = ApplicationAutoscalingBackend.deregister_scalable_target


@dataclass
class EndpointScript:
    """The behavior of endpoints, and the calls that were rejected.

    Attributes:
        url: the emulator's URL.
        transitions: the statuses of the next creation or update, one for each DescribeEndpoint,
            each with whether the new endpoint config is in service; by default InService.
        reason: the FailureReason of an update with ``transitions``.
        rejections: error messages of rejected calls.
        layer_base_url: the base URL of layer downloads, by default ``url``.
    """

    url: str = ""
    transitions: list[tuple[str, bool]] = field(default_factory=list)
    reason: str = "the alarm diamonds-errors-5xx went off"
    rejections: list[str] = field(default_factory=list)
    layer_base_url: str = ""


_CURRENT_SCRIPT = [EndpointScript()]  # moto's state is global, too


def patch_moto(script: EndpointScript) -> None:
    """Patch moto's classes; endpoints behave as the script says."""
    _CURRENT_SCRIPT[:] = [script]
    # moto knows only old instance types.
    FakeEndpointConfig.validate_instance_type = lambda *_: None
    for name in (*PATCHED, "add_tags"):
        setattr(SageMakerModelBackend, name, globals()[name])
    ApplicationAutoscalingBackend.register_scalable_target = register_scalable_target
    ApplicationAutoscalingBackend.deregister_scalable_target = deregister_scalable_target
    SageMakerResponse.update_endpoint = update_endpoint
    ECRResponse.get_download_url_for_layer = get_download_url_for_layer


def create_model(self: Any, **parameters: Any) -> Any:
    """Reject a duplicate name."""
    _reject_if(
        parameters["model_name"] in self._models,
        f'Cannot create already existing model "{parameters["model_name"]}".',
    )
    return MOTO["create_model"](self, **parameters)


def create_endpoint_config(self: Any, **parameters: Any) -> Any:
    """Reject a duplicate name."""
    name = parameters["endpoint_config_name"]
    _reject_if(
        name in self.endpoint_configs,
        f'Cannot create already existing endpoint configuration "{name}".',
    )
    return MOTO["create_endpoint_config"](self, **parameters)


def create_endpoint(self: Any, **parameters: Any) -> Any:
    """Reject a duplicate name, and start the transitions."""
    name = parameters["endpoint_name"]
    _reject_if(name in self.endpoints, f'Cannot create already existing endpoint "{name}".')
    endpoint = MOTO["create_endpoint"](self, **parameters)
    _start_transitions(endpoint, parameters["endpoint_config_name"], "Creating")
    return endpoint


def describe_endpoint(self: Any, endpoint_name: str) -> Any:
    """Move the endpoint to its next transition, and describe it."""
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
    if endpoint and endpoint.endpoint_status not in FINAL_STATUSES:
        described["PendingDeploymentSummary"] = {"EndpointConfigName": endpoint.pending}
    return described


def delete_endpoint(self: Any, endpoint_name: str) -> None:
    """Reject the deletion of an endpoint that is in progress."""
    if endpoint := self.endpoints.get(endpoint_name):
        _reject_in_progress(endpoint)
    MOTO["delete_endpoint"](self, endpoint_name)


def delete_endpoint_config(self: Any, endpoint_config_name: str) -> None:
    """Reject the deletion of a config that an endpoint uses or is about to use."""
    used = {
        name
        for endpoint in self.endpoints.values()
        for name in (
            endpoint.endpoint_config_name,
            *(config for _, config in endpoint.transitions),
        )
    }
    _reject_if(
        endpoint_config_name in used,
        f'Cannot delete endpoint configuration "{endpoint_config_name}": an endpoint uses it.',
    )
    MOTO["delete_endpoint_config"](self, endpoint_config_name)


def delete_model(self: Any, model_name: str) -> None:
    """Reject the deletion of a model that an endpoint config uses."""
    used = {
        variant["ModelName"]
        for config in self.endpoint_configs.values()
        for variant in config.production_variants
    }
    _reject_if(model_name in used, f'Cannot delete model "{model_name}": a configuration uses it.')
    MOTO["delete_model"](self, model_name)


def register_scalable_target(
    self: Any, namespace: str, r_id: str, *others: Any, **more: Any
) -> Any:
    """Reject a target whose endpoint does not exist."""
    known = sagemaker_backends[self.account_id][self.region_name].endpoints
    _reject_if(
        namespace == "sagemaker" and r_id.split("/")[1] not in known,
        f"Could not find endpoint of {r_id}.",
    )
    return REGISTER(self, namespace, r_id, *others, **more)


def deregister_scalable_target(self: Any, namespace: str, r_id: str, dimension: str) -> None:
    """Delete the target's policies and scheduled actions, too."""
    DEREGISTER(self, namespace, r_id, dimension)
    self.policies = {
        key: policy for key, policy in self.policies.items() if policy.resource_id != r_id
    }
    self.scheduled_actions = [
        action for action in self.scheduled_actions if action.resource_id != r_id
    ]


def add_tags(self: Any, arn: str, tags: list[dict[str, str]]) -> list[dict[str, str]]:
    """Replace tags of the same name."""
    names, resource = {tag["Key"] for tag in tags}, self._get_resource_from_arn(arn)
    resource.tags = [tag for tag in resource.tags if tag["Key"] not in names] + tags
    return list(resource.tags)


def update_endpoint(self: Any) -> ActionResult:
    """Start an update to another config, which moto does not implement."""
    name, config = self._get_param("EndpointName"), self._get_param("EndpointConfigName")
    endpoint = self.sagemaker_backend.endpoints[name]
    self.sagemaker_backend.describe_endpoint_config(config)
    _reject_in_progress(endpoint)
    _reject_another_kind(
        self.sagemaker_backend.endpoint_configs, endpoint.endpoint_config_name, config
    )
    _reject_invalid_update(self, endpoint, config)
    _start_transitions(endpoint, config, "Updating")
    return ActionResult({"EndpointArn": endpoint.arn})


def get_download_url_for_layer(self: Any) -> ActionResult:
    """Return a presigned URL of a layer, which moto does not implement."""
    base_url = _CURRENT_SCRIPT[0].layer_base_url or _CURRENT_SCRIPT[0].url
    digest = self._get_param("layerDigest")
    return ActionResult({"downloadUrl": f"{base_url}/layers/{digest}?X-Amz-Signature=secret"})


def _start_transitions(endpoint: Any, config: str, status: str) -> None:
    old = endpoint.endpoint_config_name
    endpoint.transitions = [
        (status, config if on_new else old)
        for status, on_new in _CURRENT_SCRIPT[0].transitions or [("InService", True)]
    ]
    endpoint.endpoint_status, endpoint.pending = status, config


def _reject_in_progress(endpoint: Any) -> None:
    _reject_if(
        endpoint.endpoint_status not in FINAL_STATUSES,
        f'Cannot update in-progress endpoint "{endpoint.arn}".',
    )


def _reject_another_kind(configs: Any, old: str, new: str) -> None:
    # AWS's guide: only serverless endpoints can be converted, and only to instances.
    serverless = [
        bool(configs[name].production_variants[0].get("ServerlessConfig")) for name in (old, new)
    ]
    queued = [bool(getattr(configs[name], "async_inference_config", None)) for name in (old, new)]
    _reject_if(
        serverless == [False, True],
        "You cannot convert your instance-based endpoint to a serverless endpoint.",
    )
    _reject_if(
        queued[0] != queued[1],
        "The AsyncInferenceConfig parameter cannot be added to or removed from this endpoint.",
    )


def _reject_invalid_update(self: Any, endpoint: Any, config: str) -> None:
    account, region = self.current_account, self.region
    configs = self.sagemaker_backend.endpoint_configs
    types = {
        configs[name].production_variants[0].get("InstanceType")
        for name in (endpoint.endpoint_config_name, config)
    }
    targets = applicationautoscaling_backends[account][region].targets.get(
        "sagemaker:variant:DesiredInstanceCount", {}
    )
    is_scaled = any(target.split("/")[1] == endpoint.endpoint_name for target in targets)
    _reject_if(
        is_scaled and len(types) > 1,
        f'The instance type of "{endpoint.arn}" cannot change under scaling.',
    )
    deployment = self._get_param("DeploymentConfig") or {}
    _reject_if(bool(deployment) and None in types, "Deployment guardrails are for instances.")
    names = {
        alarm["AlarmName"]
        for alarm in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    }
    unknown = names - cloudwatch_backends[account][region].alarms.keys()
    _reject_if(bool(unknown), f"Could not find the alarms {sorted(unknown)}.")


def _reject_if(condition: bool, message: str) -> None:  # noqa: FBT001 - reads as an if
    if condition:
        _CURRENT_SCRIPT[0].rejections.append(message)
        raise ValidationError(message=message)
