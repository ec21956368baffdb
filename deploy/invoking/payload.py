"""A payload with its media type."""

from dataclasses import dataclass
from pathlib import Path

from deploy.config.naming import Parameters, drop_none
from deploy.errors import DeployError
from serve.media.types import SUFFIXES


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload, its media type, and the media type of the desired response, if any."""

    content: bytes
    content_type: str
    accept: str | None = None

    @property
    def parameters(self) -> Parameters:
        return drop_none({"ContentType": self.content_type, "Accept": self.accept})


def guess_media_type(path: Path) -> str:
    """Return the media type for a file's suffix; raises DeployError."""
    if path.suffix not in SUFFIXES:
        raise DeployError(
            f"{path}: expected a file name ending in {', '.join(SUFFIXES)}; "
            "or set the media type with --content-type"
        )
    return SUFFIXES[path.suffix]
