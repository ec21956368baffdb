"""Runs the AWS emulator in a thread, or as a process with `python -m`."""

import argparse
import hashlib
import json
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from container.local_server import SAMPLE_ARTIFACT, serving, stop_on_sigterm
from tests.support.aws_emulator import moto_patches, runtime
from tests.support.aws_emulator.recorder import CallRecorder, Environ
from tests.support.aws_emulator.runtime import ACCOUNT, REGION

ROOT = Path(__file__).resolve().parents[3]
BUCKET, REPOSITORY = "example-models", "xgb-endpoint"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "emulator",
    "AWS_SECRET_ACCESS_KEY": "emulator",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
MOTO = DomainDispatcherApplication(create_backend_app)


@dataclass
class Emulator(moto_patches.EndpointScript):
    """A running emulator: its URL, recorded calls, and the behavior of its endpoints and images.

    Attributes:
        container_url: the server that responds to invocations.
        architecture: of all images.
        layer_response: status line and body of layer downloads, instead of an image's
            configuration.
    """

    container_url: str | None = None
    recorder: CallRecorder = field(init=False)
    architecture: str = "amd64"
    layer_response: tuple[str, bytes] | None = None

    def __post_init__(self) -> None:
        self.recorder = CallRecorder(self.application)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which boto3 calls this emulator."""
        return ENVIRONMENT | {"AWS_ENDPOINT_URL": self.url}

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a boto3 client for this emulator."""
        keys = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator"}
        return boto3.client(service, region_name=region, endpoint_url=self.url, **keys)

    def provision(self, media_type: str = DOCKER_MANIFEST) -> str:
        """Create the bucket, the repository and an image; return the image's URI."""
        self.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        self.client("ecr").create_repository(repositoryName=REPOSITORY)
        return self.push(media_type)

    def push(self, media_type: str = DOCKER_MANIFEST, **manifest_changes: Any) -> str:
        """Push an image with the manifest's media type; return its URI, with digest."""
        # moto derives the image's digest from those of its layers alone.
        layer_digest = hashlib.sha256(media_type.encode()).hexdigest()
        manifest = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"digest": "sha256:" + "a" * 64},
            "layers": [{"digest": f"sha256:{layer_digest}", "size": 1}],
        }
        response = self.client("ecr").put_image(
            repositoryName=REPOSITORY,
            imageManifest=json.dumps(manifest | manifest_changes),
            imageManifestMediaType=media_type,
            imageTag=f"{len(media_type)}",
        )
        digest = response["image"]["imageId"]["imageDigest"]
        return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}@{digest}"

    def reset(self) -> None:
        """Delete all resources, recorded calls and configured behavior."""
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        urllib.request.urlopen(request, timeout=10).close()
        self.recorder.reset()
        self.transitions, self.rejections = [], []
        self.architecture, self.layer_base_url = "amd64", ""
        self.layer_response = None

    def application(self, environ: Environ, start: Any) -> Any:
        """Respond to layer downloads and invocations; forward all other requests to moto."""
        path = environ["PATH_INFO"]
        if path.startswith("/layers/"):
            image = json.dumps({"architecture": self.architecture}).encode()
            status, body = self.layer_response or ("200 OK", image)
            start(status, [("Content-Type", "application/json")])
            return [body]
        if path.startswith("/endpoints/"):
            status, headers, body = runtime.respond(self.container_url, environ)
            start(status, [*headers.items()])
            return [body]
        return MOTO(environ, start)


class _QuietRequestHandler(MotoRequestHandler):
    """A request handler without an access log."""

    def log_request(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def run_emulator(container_url: str | None = None) -> Iterator[Emulator]:
    """Run the emulator in a thread, on a free port of the loopback interface."""
    emulator = Emulator(container_url=container_url)
    server = make_server(
        "127.0.0.1", 0, emulator.recorder, threaded=True, request_handler=_QuietRequestHandler
    )
    emulator.url = f"http://127.0.0.1:{server.server_port}"
    moto_patches.patch_moto(emulator)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield emulator
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_configuration(folder: Path, image: str, changes: Mapping[str, str] | None = None) -> Path:
    """Write the example configuration with an image and some text replaced; return its path."""
    example = (ROOT / "deploy" / "endpoint.example.yaml").read_text()
    lines = example.replace(": ../", f": {ROOT}/").splitlines(keepends=True)
    for index, line in enumerate(lines):
        if line.startswith("image:"):
            lines[index] = f"image: {image}\n"
    text = "".join(lines)
    for old, new in (changes or {}).items():
        text = text.replace(old, new)
    path = folder / "endpoint.yaml"
    path.write_text(text)
    return path


def main() -> None:
    """Serve an artifact behind the emulator until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=SAMPLE_ARTIFACT,
        help="Folder of the artifact that the endpoints serve.",
    )
    folder = parser.parse_args().folder
    stop_on_sigterm()
    with (
        serving(folder, environment={"SAGEMAKER_CONTAINER_LOG_LEVEL": "ERROR"}) as container,
        run_emulator(container.url) as emulator,
    ):
        for name, value in emulator.environment.items():
            print(f"export {name}={value}")
        print(f"export IMAGE={emulator.provision()}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
