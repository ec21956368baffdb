"""The current state of an endpoint's resources, as AWS describes them."""

from dataclasses import dataclass, field
from typing import Any

from deploy.config.naming import PREVIOUS_CONFIG_TAG, SERVING_CONFIG_TAG, Parameters

IN_PROGRESS_STATUSES = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}


@dataclass(frozen=True, slots=True)
class ActualState:
    """The resources of an endpoint with their tags; the description of a missing one is empty.

    ``uploaded``, ``model`` and ``config`` are those of the desired release. ``serving_config`` and
    ``serving_model`` are those that the endpoint uses now. ``foreign_alarms`` are the names of
    alarms that have the endpoint's prefix, but were not created by this program.
    """

    uploaded: bool = False
    model: Parameters = field(default_factory=dict)
    config: Parameters = field(default_factory=dict)
    endpoint: Parameters = field(default_factory=dict)
    serving_config: Parameters = field(default_factory=dict)
    serving_model: Parameters = field(default_factory=dict)
    alarms: dict[str, Parameters] = field(default_factory=dict)
    foreign_alarms: frozenset[str] = frozenset()
    target: Parameters = field(default_factory=dict)
    policies: list[Parameters] = field(default_factory=list)
    scheduled_actions: list[Parameters] = field(default_factory=list)

    @property
    def status(self) -> str | None:
        """Return the EndpointStatus, or None without an endpoint."""
        return self.endpoint.get("EndpointStatus")

    @property
    def is_in_progress(self) -> bool:
        """Return whether AWS is changing the endpoint and rejects other changes."""
        return self.status in IN_PROGRESS_STATUSES

    @property
    def serving_config_name(self) -> str | None:
        """Return the endpoint config in use; during an update, the old one."""
        return self.endpoint.get("EndpointConfigName")

    @property
    def recorded_config_name(self) -> str | None:
        """Return the endpoint config in use, as recorded by the last completed run."""
        return self._tags.get(SERVING_CONFIG_TAG)

    @property
    def previous_config_name(self) -> str | None:
        """Return the endpoint config that was in use before the current one."""
        # If a run stopped after its update, but before it set the tags, they are one update behind.
        if self._is_record_stale:
            return self.recorded_config_name
        return self._tags.get(PREVIOUS_CONFIG_TAG)

    @property
    def has_unrecorded_rollback(self) -> bool:
        """Return whether a rollback took effect, but was interrupted before it was recorded."""
        was_previous = self._tags.get(PREVIOUS_CONFIG_TAG) == self.serving_config_name
        return self._is_record_stale and was_previous

    @property
    def instance_type(self) -> str | None:
        variants: list[Parameters] = self.serving_config.get("ProductionVariants", [])
        return variants[0].get("InstanceType") if variants else None

    def find_rollback_config(self, config_name: str) -> str | None:
        """Return the config that a rollback restores once ``config_name`` is in use."""
        if self.status == "Failed":
            return None
        if self.serving_config_name != config_name:
            return self.serving_config_name
        return self.previous_config_name

    @property
    def _is_record_stale(self) -> bool:
        return self.recorded_config_name not in (None, self.serving_config_name)

    @property
    def _tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.endpoint.get("Tags", [])}


def differs(desired: Any, actual: Any) -> bool:
    """Return whether a desired value is missing or different; ignores tags and extra keys."""
    if isinstance(desired, dict) and isinstance(actual, dict):
        return any(
            differs(value, actual.get(key)) for key, value in desired.items() if key != "Tags"
        )
    return bool(desired != actual)
