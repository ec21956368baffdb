"""Starts containers and, in front of them, the SageMaker Runtime API on the loopback: make runtime."""

import logging
import math
import os
import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryFile

import click
from werkzeug.serving import make_server

from container.local_server import SAMPLE_ARTIFACT, NotServing, serving, stop_on_sigterm
from local_test.runtime.asynchronous import AsyncQueue
from local_test.runtime.capture import Capture
from local_test.runtime.container_call import REPLY_SECONDS, STREAM_SECONDS
from local_test.runtime.fields import NAME
from local_test.runtime.gateway import Endpoint, application
from local_test.runtime.store import Store
from local_test.runtime.variants import DEFAULT_NAME, Variant

MIB = 1 << 20
SECONDS = click.FloatRange(min=0, min_open=True)
VARIANT_FORM = "NAME=FOLDER:WEIGHT, such as blue=model/artifact:9"


@click.command()
@click.option(
    "--port",
    default=8090,
    type=click.IntRange(0, 65535),
    show_default=True,
    help="The runtime's port on the loopback.",
)
@click.option("--endpoint", default="local", show_default=True, help="The endpoint's name.")
@click.option(
    "--folder",
    default=SAMPLE_ARTIFACT,
    type=click.Path(path_type=Path),
    help="The artifact; by default the sample model.",
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    help=f"A production variant, instead of --folder: {VARIANT_FORM}.",
)
@click.option("--container", help="The URL of a container that runs already, instead of --folder.")
@click.option(
    "--image", help="The image to run if Docker has it; else the server runs in this Python."
)
@click.option(
    "--max-body-mib",
    default=6,
    show_default=True,
    type=click.IntRange(1, 25),
    help="The longest request and reply, in MiB.",
)
@click.option(
    "--timeout",
    default=REPLY_SECONDS,
    type=SECONDS,
    show_default=True,
    help="Seconds for a container's answer.",
)
@click.option(
    "--stream-timeout",
    default=STREAM_SECONDS,
    type=SECONDS,
    show_default=True,
    help="Seconds for a streamed answer to end.",
)
@click.option(
    "--s3",
    default=Path("local-s3"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="The folder that stands for S3.",
)
@click.option(
    "--capture",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    help="Per cent of the invocations to capture.",
)
def main(  # noqa: PLR0913  # one an option
    *,
    port: int,
    endpoint: str,
    folder: Path,
    variants: Sequence[str],
    container: str | None,
    image: str | None,
    max_body_mib: int,
    timeout: float,
    stream_timeout: float,
    s3: Path,
    capture: int,
) -> None:
    """Serve a model behind SageMaker's own API, for unchanged clients, until Ctrl-C."""
    stop_on_sigterm()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    places = [_place(text) for text in variants] or [(DEFAULT_NAME, folder, 1.0)]
    _check(endpoint, places, container, beside=bool(variants))
    queue = AsyncQueue(_writable(s3))
    with ExitStack() as running:
        served = [Variant(DEFAULT_NAME, container.rstrip("/"))] if container else []
        for name, place, weight in [] if container else places:
            served.append(_started(running, name, place, weight, image))
        captured = Capture(s3 / "sagemaker-local" / "data-capture", capture) if capture else None
        described = Endpoint(
            endpoint, served, queue.store, max_body_mib * MIB, timeout, stream_timeout, captured
        )
        try:
            server = make_server("127.0.0.1", port, application(described, queue), threaded=True)
        except SystemExit:
            raise click.ClickException(
                f"port {port} is taken: PORT=... or --port names another"
            ) from None
        with suppress(KeyboardInterrupt):
            _explain(server.server_port, described)
            server.serve_forever()
        click.echo("\nStopping.")
        queue.stop()
    os._exit(0)  # Python would wait for the invocations under way


def _check(
    endpoint: str, places: Sequence[tuple[str, Path, float]], container: str | None, *, beside: bool
) -> None:
    """Refuse what the API could not name, or nothing could call; raises click.UsageError."""
    names = [name for name, _, _ in places]
    for name in (endpoint, *names):
        if not re.fullmatch(NAME, name) or len(name) > 63:
            raise click.UsageError(
                f"{name!r} is no name: up to 63 letters, digits and hyphens, a letter or digit first and last"
            )
    if len(set(names)) < len(names):
        raise click.UsageError(f"two variants have the same name: {', '.join(names)}")
    if not any(weight for _, _, weight in places):
        raise click.UsageError("the weights of all variants are 0: nothing would be called")
    if container and (beside or not container.startswith("http://")):
        raise click.UsageError(
            f"--container {container}: expected http://HOST:PORT, and no --variant beside it"
        )


def _writable(s3: Path) -> Store:
    try:
        s3.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=s3):
            return Store(s3)
    except OSError as error:
        raise click.ClickException(
            f"--s3 {s3}: {error.strerror}; name a folder that can be written to"
        ) from error


def _place(text: str) -> tuple[str, Path, float]:
    name, _, rest = text.partition("=")
    folder, _, weight = rest.rpartition(":")
    try:
        if name and folder and float(weight) >= 0 and math.isfinite(float(weight)):
            return name, Path(folder), float(weight)
    except ValueError:
        pass
    raise click.UsageError(f"--variant {text}: expected {VARIANT_FORM}")


def _started(
    running: ExitStack, name: str, folder: Path, weight: float, image: str | None
) -> Variant:
    try:
        container = running.enter_context(serving(folder, image=image))
    except NotServing as error:
        raise click.ClickException(f"variant {name}, {folder}: {error}") from error
    click.echo(
        f"Variant {name}: {container.command} on {folder}, ready after {container.seconds_until_ready:.1f} s, {container.url}"
    )
    return Variant(name, container.url, weight)


def _explain(port: int, endpoint: Endpoint) -> None:
    click.echo(f"""
SageMaker Runtime, locally: endpoint {endpoint.name}, {endpoint.max_body_bytes // MIB} MiB, {endpoint.reply_seconds:g} s.
It listens on this machine only, and checks no signatures: any credentials will do. Clients find it by

  export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=http://127.0.0.1:{port}
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1

s3://BUCKET/KEY is the file {endpoint.store.folder}/BUCKET/KEY. Ctrl-C stops all.""")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
