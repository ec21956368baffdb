"""The operated part of an endpoint: alarms, deployment guardrails and scaling.

It can change without a new release, and applies to rollbacks as well.
"""

from collections.abc import Collection
from dataclasses import dataclass

from deploy.config.configuration import Configuration
from deploy.config.naming import Parameters, drop_none
from deploy.desired.alarms import build_rollback_alarms, build_wake_alarm
from deploy.desired.autoscaling import build_scalable_target, build_scaling_policies
from deploy.desired.guardrails import build_deployment_config


@dataclass(frozen=True, slots=True)
class Operations:
    """The parameters of the calls that monitor, update and scale an endpoint.

    ``deployment`` is None for a serverless endpoint, and ``target`` is None without scaling.
    ``wake_alarm`` is None unless the endpoint scales from zero instances. ``external_alarms`` are
    the names of the alarms in ``update.alarms.names``, which must exist already.
    """

    alarms: list[Parameters]
    external_alarms: tuple[str, ...]
    deployment: Parameters | None
    target: Parameters | None
    policies: list[Parameters]
    wake_alarm: Parameters | None

    @property
    def created_alarms(self) -> list[Parameters]:
        """Return the alarms that this program creates."""
        return [*self.alarms, self.wake_alarm] if self.wake_alarm else self.alarms

    @property
    def guarding_alarm_names(self) -> list[str]:
        """Return the names of the alarms that roll an update back."""
        rollback = (self.deployment or {}).get("AutoRollbackConfiguration", {})
        return [alarm["AlarmName"] for alarm in rollback.get("Alarms", [])]

    def exclude_alarms(self, names: Collection[str]) -> Parameters | None:
        """Return the deployment config without these alarms."""
        if self.deployment is None:
            return None
        remaining = [name for name in self.guarding_alarm_names if name not in names]
        alarms = [{"AlarmName": name} for name in remaining]
        rollback = {"Alarms": alarms} if alarms else None
        return drop_none(self.deployment | {"AutoRollbackConfiguration": rollback})


def build_operations(configuration: Configuration) -> Operations:
    """Build the alarms, the deployment config and the scaling of a configuration."""
    alarms = build_rollback_alarms(configuration)
    return Operations(
        alarms=alarms,
        external_alarms=tuple(configuration.update.alarms.names),
        deployment=build_deployment_config(configuration, alarms),
        target=build_scalable_target(configuration),
        policies=build_scaling_policies(configuration),
        wake_alarm=build_wake_alarm(configuration),
    )
