"""A planned AWS API call."""

from dataclasses import dataclass, field

from deploy.config.naming import Parameters

# The parameters that can name the resource of a call, in order of precedence.
SUBJECT_KEYS = (
    "PolicyName",
    "ScheduledActionName",
    "AlarmName",
    "AlarmNames",
    "Key",
    "ResourceId",
    "EndpointName",
    "EndpointConfigName",
    "ModelName",
    "ResourceArn",
    "ResourceARN",
)


@dataclass(frozen=True, slots=True)
class Call:
    """An AWS API call, with service and operation as boto3 names them.

    ``reason`` is printed to the user. ``undo`` are the calls that restore what this call removes.
    """

    service: str
    operation: str
    parameters: Parameters
    reason: str
    undo: "list[Call]" = field(default_factory=list)

    @property
    def subject(self) -> str:
        """Return the name of the resource that the call creates, changes or deletes."""
        name = next(self.parameters[key] for key in SUBJECT_KEYS if key in self.parameters)
        if isinstance(name, list):
            return ", ".join(name)
        return str(name).rpartition(":")[2]
