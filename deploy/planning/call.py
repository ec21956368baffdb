"""A call of AWS that is planned before it is made."""

from dataclasses import dataclass, field

from deploy.config.naming import Parameters

# The parameters that name what a call is about; the first that is there does.
NAMED_BY = (
    "PolicyName", "ScheduledActionName", "AlarmName", "AlarmNames", "Key", "ResourceId", "EndpointName", "EndpointConfigName",
    "ModelName", "ResourceArn", "ResourceARN",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """A call of AWS, by boto3's names, why it is made, and the calls that put back what it takes away."""

    service: str
    operation: str
    parameters: Parameters
    why: str
    undo: "list[Call]" = field(default_factory=list)

    @property
    def subject(self) -> str:
        """Return the name of what the call makes, changes or removes."""
        name = next(self.parameters[key] for key in NAMED_BY if key in self.parameters)
        return ", ".join(name) if isinstance(name, list) else str(name).rpartition(":")[2]
