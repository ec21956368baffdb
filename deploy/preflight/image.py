"""The image in ECR: there, of a media type that SageMaker takes, and for the instance's processor."""

import json
import re
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError

from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.config.rules import instance_architecture
from deploy.errors import DeployError

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
ACCEPTED = [
    DOCKER,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
]
SECONDS = 60.0


def verify_image(aws: Aws, configuration: Configuration) -> None:
    """Look the image up in ECR; raises DeployError for what CreateModel refuses, or what would not start."""
    host, _, rest = configuration.image.partition("/")
    repository, _, digest = rest.partition("@")
    place = {"registryId": host.partition(".")[0], "repositoryName": repository}
    answer = aws.call(
        "ecr",
        "batch_get_image",
        **place,
        imageIds=[{"imageDigest": digest}],
        acceptedMediaTypes=ACCEPTED,
    )
    if not answer["images"]:
        raise DeployError(
            f"image: {repository} has no {digest}: make push REPOSITORY={host}/{repository} prints the digest it has"
        )
    image = answer["images"][0]
    media_type = image.get("imageManifestMediaType", "unknown")
    if media_type != DOCKER:
        raise DeployError(
            f"image: its manifest is {media_type}, which CreateModel refuses: build one architecture with --provenance=false "
            "--sbom=false and oci-mediatypes=false, as make image does, and push again"
        )
    built, wanted = (
        _architecture(aws, place, json.loads(image["imageManifest"])),
        _wanted(configuration),
    )
    if built != wanted:
        needs = (
            "a serverless endpoint"
            if configuration.compute.serverless
            else configuration.compute.instance_type
        )
        raise DeployError(
            f"image: built for {built}, but {needs} needs {wanted}: make image push ARCH={wanted}, and use that digest"
        )


def _wanted(configuration: Configuration) -> str:
    return (
        "amd64"
        if configuration.compute.serverless
        else instance_architecture(configuration.compute.instance_type)
    )


def _architecture(aws: Aws, place: dict[str, str], manifest: dict[str, Any]) -> str:
    digest = (manifest.get("config") or {}).get("digest")
    if digest is None:
        raise DeployError(
            "image: its manifest names no configuration: it is no image that docker push made: push it again"
        )
    url = aws.call("ecr", "get_download_url_for_layer", **place, layerDigest=digest)["downloadUrl"]
    # What follows the ? lets whoever has it read the layer, so that it is never shown.
    shown = url.partition("?")[0]
    if not re.match(r"https://|http://127\.0\.0\.1[:/]", url):
        raise DeployError(f"image: ECR gave an address that is not https: {shown}")
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - only https, or a stand-in on the loopback
            return str(json.load(answer)["architecture"])
    except HTTPError as error:
        why = f"HTTP {error.code}"
    except (OSError, HTTPException) as error:
        why = str(getattr(error, "reason", error)).replace(url, shown)
    except (ValueError, KeyError, TypeError):
        why = "no description of an image"
    raise DeployError(
        f"image: its processor could not be read from {shown}: {why}: try again, or look at the way to there"
    )
