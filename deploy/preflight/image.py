"""Checks that the image exists in ECR, in a format for SageMaker and the instances' architecture.

The architecture is in the image's configuration, a blob that GetDownloadUrlForLayer returns like
a layer.
"""

import json
import re
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError

from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.errors import DeployError

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_TYPES = [
    DOCKER_MANIFEST,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
]
TIMEOUT_SECONDS = 60.0


def verify_image(aws: Aws, configuration: Configuration) -> None:
    """Look up the image's manifest and architecture in ECR.

    Raises:
        DeployError: CreateModel would reject the image, or its containers would not start.
    """
    host, _, path = configuration.image.partition("/")
    name, _, digest = path.partition("@")
    repository = {"registryId": host.partition(".")[0], "repositoryName": name}
    images = aws.call(
        "ecr",
        "batch_get_image",
        **repository,
        imageIds=[{"imageDigest": digest}],
        acceptedMediaTypes=MANIFEST_TYPES,
    )["images"]
    if not images:
        raise DeployError(
            f"image: {digest} is not in the repository {name}; "
            f"push it with make push REPOSITORY={host}/{name} and use the digest it prints"
        )
    media_type = images[0].get("imageManifestMediaType", "unknown")
    if media_type != DOCKER_MANIFEST:
        raise DeployError(
            f"image: CreateModel rejects the manifest type {media_type}; build for a single "
            "architecture with --provenance=false --sbom=false and oci-mediatypes=false, "
            "as make image does, and push again"
        )
    manifest = json.loads(images[0]["imageManifest"])
    _verify_architecture(configuration, _find_architecture(aws, repository, manifest))


def _verify_architecture(configuration: Configuration, found: str) -> None:
    compute = configuration.compute
    if compute.serverless:
        expected, target = "amd64", "a serverless endpoint"
    else:
        expected, target = instance_architecture(compute.instance_type), compute.instance_type
    if found != expected:
        raise DeployError(
            f"image: expected an {expected} image for {target}, got {found}; "
            f"run make image push ARCH={expected} and use the digest it prints"
        )


def instance_architecture(instance_type: str) -> str:
    """Return ``arm64`` for Graviton instance types such as ml.c7g.large, ``amd64`` for others.

    A Graviton family has a "g" after its generation, as in c7g and m6gd.
    """
    parts = instance_type.split(".")
    family = parts[1] if len(parts) == 3 else instance_type  # noqa: PLR2004 - ml.FAMILY.SIZE
    return "arm64" if re.fullmatch(r"[a-z]+\d+g[a-z]*", family) else "amd64"


def _find_architecture(aws: Aws, repository: dict[str, str], manifest: dict[str, Any]) -> str:
    digest = (manifest.get("config") or {}).get("digest")
    if digest is None:
        raise DeployError(
            "image: the manifest has no configuration, so it is not a container image; "
            "push one with make push"
        )
    url: str = aws.call("ecr", "get_download_url_for_layer", **repository, layerDigest=digest)[
        "downloadUrl"
    ]
    return _download_architecture(url)


def _download_architecture(url: str) -> str:
    # The query string holds a signature that grants access to the image: never show it.
    shown_url = url.partition("?")[0]
    if not re.match(r"https://|http://127\.0\.0\.1[:/]", url):
        raise DeployError(f"image: expected an https URL from ECR, got {shown_url}")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - only https, or the tests' emulator
            return str(json.load(response)["architecture"])
    except HTTPError as error:
        cause = f"HTTP status {error.code}"
    except (OSError, HTTPException) as error:
        cause = str(getattr(error, "reason", error)).replace(url, shown_url)
    except (ValueError, KeyError, TypeError):
        cause = "not an image configuration"
    raise DeployError(
        f"image: failed to download the image configuration from {shown_url}: {cause}; "
        "retry, or check the network"
    )
