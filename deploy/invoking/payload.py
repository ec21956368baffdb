"""A payload with its media types."""

from dataclasses import dataclass
from pathlib import Path

from deploy.config.naming import Parameters, drop_none
from deploy.errors import DeployError
from serve.media_types import CSV, JSON, JSON_LINES

MEDIA_TYPES = {".csv": CSV, ".json": JSON, ".jsonl": JSON_LINES}


@dataclass(frozen=True, slots=True)
class Payload:
    """What is sent, its media type, and that of the reply that is wanted, if one is."""

    content: bytes
    content_type: str
    accept: str | None = None

    @property
    def parameters(self) -> Parameters:
        return drop_none({"ContentType": self.content_type, "Accept": self.accept})


def guess_media_type(path: Path) -> str:
    """Return the media type that a payload's name tells; raises DeployError."""
    if path.suffix not in MEDIA_TYPES:
        raise DeployError(
            f"{path}: expected a name that ends in {', '.join(MEDIA_TYPES)}, or --content-type"
        )
    return MEDIA_TYPES[path.suffix]
