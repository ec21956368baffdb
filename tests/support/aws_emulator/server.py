"""A stand-in for AWS on the loopback: moto's server with its gaps filled, in a thread, or as a process with `python -m`."""

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

BUCKET, REPOSITORY = "example-models", "xgb-endpoint"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "emulator",
    "AWS_SECRET_ACCESS_KEY": "emulator",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass
class Emulator(moto_patches.EndpointScript):
    """The stand-in's address, its wire, and the play that its endpoints give."""

    container_url: str | None = None
    recorder: CallRecorder = field(init=False)
    architecture: str = "amd64"
    layer_response: tuple[str, bytes] | None = None  # status and body, in place of an image's

    def __post_init__(self) -> None:
        self.recorder = CallRecorder(self.application)

    @property
    def environment(self) -> dict[str, str]:
        return CREDENTIALS | {"AWS_ENDPOINT_URL": self.url}

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a client of boto3 for the test's own look at the stand-in."""
        keys = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator"}
        return boto3.client(service, region_name=region, endpoint_url=self.url, **keys)

    def provision(self, media_type: str = MANIFEST) -> str:
        """Make the bucket, the repository and an image; return how the image is named by its digest."""
        self.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        self.client("ecr").create_repository(repositoryName=REPOSITORY)
        return self.push(media_type)

    def push(self, media_type: str = MANIFEST, **manifest_too: Any) -> str:
        """Push an image of a media type, with more in its manifest; return its name by its digest."""
        # moto makes an image's digest of its layers' digests alone.
        layer = {"digest": f"sha256:{hashlib.sha256(media_type.encode()).hexdigest()}", "size": 1}
        manifest = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"digest": "sha256:" + "a" * 64},
            "layers": [layer],
        }
        manifest |= manifest_too
        put = {
            "repositoryName": REPOSITORY,
            "imageManifest": json.dumps(manifest),
            "imageManifestMediaType": media_type,
        }
        digest = self.client("ecr").put_image(**put, imageTag=f"{len(media_type)}")["image"][
            "imageId"
        ]["imageDigest"]
        return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}@{digest}"

    def reset(self) -> None:
        """Forget all that was made and said."""
        urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/moto-api/reset", method="POST"), timeout=10
        ).close()
        self.recorder.reset()
        (
            self.transitions,
            self.rejections,
            self.architecture,
            self.layer_response,
            self.layer_base_url,
        ) = (
            [],
            [],
            "amd64",
            None,
            "",
        )

    def application(self, environ: Environ, start: Any) -> Any:
        """Answer what moto does not: layers, and invocations, which a container's server answers."""
        path = environ["PATH_INFO"]
        if path.startswith("/layers/"):
            status, body = self.layer_response or (
                "200 OK",
                json.dumps({"architecture": self.architecture}).encode(),
            )
            start(status, [("Content-Type", "application/json")])
            return [body]
        if path.startswith("/endpoints/"):
            status, headers, body = runtime.answer(self.container_url, environ)
            start(status, [*headers.items()])
            return [body]
        return self._moto(environ, start)

    def _moto(self, environ: Environ, start: Any) -> Any:
        return _MOTO(environ, start)


class _Quiet(MotoRequestHandler):
    """Handles requests without a line for each between what a user reads."""

    def log_request(self, *_: Any) -> None:
        """Say nothing."""


_MOTO = DomainDispatcherApplication(create_backend_app)


@contextmanager
def run_emulator(container_url: str | None = None) -> Iterator[Emulator]:
    """Run the stand-in in a thread, on a free port of the loopback, until the block ends."""
    emulator = Emulator(container_url=container_url)
    server = make_server("127.0.0.1", 0, emulator.recorder, threaded=True, request_handler=_Quiet)
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
    """Write the example's file with an image of the stand-in, and with texts replaced; return its path."""
    root = Path(__file__).resolve().parents[3]
    text = (root / "deploy" / "endpoint.example.yaml").read_text().replace(": ../", f": {root}/")
    text = "".join(
        f"image: {image}\n" if line.startswith("image:") else line
        for line in text.splitlines(keepends=True)
    )
    for old, new in (changes or {}).items():
        text = text.replace(old, new)
    path = folder / "endpoint.yaml"
    path.write_text(text)
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=SAMPLE_ARTIFACT,
        help="the artifact that its endpoints serve",
    )
    folder = parser.parse_args().folder
    stop_on_sigterm()
    with (
        serving(folder, environment={"SAGEMAKER_CONTAINER_LOG_LEVEL": "ERROR"}) as container,
        run_emulator(container.url) as aws,
    ):
        print(
            "\n".join(
                [
                    *(f"export {name}={value}" for name, value in aws.environment.items()),
                    f"export IMAGE={aws.provision()}",
                ]
            ),
            flush=True,
        )
        threading.Event().wait()
