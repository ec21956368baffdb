"""The command line of the SageMaker Runtime emulator: starts containers and serves the API."""

import logging
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from container.local_server import SAMPLE_ARTIFACT, stop_on_sigterm
from local_test.runtime.asynchronous import AsyncQueue
from local_test.runtime.container_client import RESPONSE_TIMEOUT_SECONDS, STREAM_TIMEOUT_SECONDS
from local_test.runtime.endpoint import Endpoint
from local_test.runtime.startup import (
    check_names,
    check_variants,
    create_data_capture,
    create_server,
    open_s3,
    start_variant,
)
from local_test.runtime.variant_option import EXAMPLE, VariantOption, VariantOptionType
from local_test.runtime.variants import DEFAULT_NAME, Variant
from serve.text import quoted

MIB = 1 << 20
FOLDER = click.Path(path_type=Path)
SECONDS = click.FloatRange(min=0, min_open=True)


@click.command()
@click.option(
    "--port",
    default=8090,
    type=click.IntRange(0, 65535),
    show_default=True,
    help="Port to listen on, at 127.0.0.1; 0 selects a free port.",
)
@click.option(
    "--endpoint", metavar="NAME", default="local", show_default=True, help="Name of the endpoint."
)
@click.option(
    "--folder",
    default=SAMPLE_ARTIFACT,
    type=FOLDER,
    metavar="FOLDER",
    help="Folder of the model artifact. The default is the sample model.",
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    type=VariantOptionType(),
    help=f"Production variant to start instead of --folder, for example {EXAMPLE}. Repeatable.",
)
@click.option(
    "--container", metavar="URL", help="URL of a running container to use instead of --folder."
)
@click.option(
    "--image",
    metavar="NAME",
    help="Docker image of the container. Without it, or if Docker does not have the image, "
    "the server runs in this Python environment.",
)
@click.option(
    "--max-body-mib",
    default=6,
    show_default=True,
    type=click.IntRange(1, 25),
    help="Maximum size of a request or response body, in MiB.",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    metavar="SECONDS",
    default=RESPONSE_TIMEOUT_SECONDS,
    type=SECONDS,
    show_default=True,
    help="Maximum time for a response. For a stream: until it begins, and between its parts.",
)
@click.option(
    "--stream-timeout",
    "stream_timeout_seconds",
    metavar="SECONDS",
    default=STREAM_TIMEOUT_SECONDS,
    type=SECONDS,
    show_default=True,
    help="Maximum duration of a streamed response.",
)
@click.option(
    "--s3",
    "s3_folder",
    metavar="FOLDER",
    default=Path("local-s3"),
    show_default=True,
    type=FOLDER,
    help="Folder to use instead of S3: s3://BUCKET/KEY is the file FOLDER/BUCKET/KEY.",
)
@click.option(
    "--capture",
    "capture_percentage",
    metavar="PERCENTAGE",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    help="Percentage of synchronous requests to record by data capture.",
)
def main(  # noqa: PLR0913  # one argument per option
    *,
    port: int,
    endpoint: str,
    folder: Path,
    variants: Sequence[VariantOption],
    container: str | None,
    image: str | None,
    max_body_mib: int,
    timeout_seconds: float,
    stream_timeout_seconds: float,
    s3_folder: Path,
    capture_percentage: int,
) -> None:
    """Serve a model on this machine through the SageMaker Runtime API, until Ctrl-C.

    boto3, the AWS CLI and the SageMaker SDK call it if AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME is set
    to its URL. They need no changes and no AWS account.
    """
    stop_on_sigterm()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    if container and (variants or not container.startswith("http://")):
        raise click.UsageError(
            f"--container: expected http://HOST:PORT and no --variant, got {quoted(container)}"
        )
    options = variants or [VariantOption(DEFAULT_NAME, folder)]
    check_names([endpoint, *(option.name for option in options)])
    check_variants(options)
    queue = AsyncQueue(open_s3(s3_folder))
    with ExitStack() as stack:
        if container:
            started = [Variant(DEFAULT_NAME, container.rstrip("/"))]
        else:
            started = [start_variant(stack, option, image) for option in options]
        served = Endpoint(
            endpoint,
            started,
            max_body_bytes=max_body_mib * MIB,
            response_timeout_seconds=timeout_seconds,
            stream_timeout_seconds=stream_timeout_seconds,
            data_capture=create_data_capture(s3_folder, capture_percentage),
        )
        server = create_server(port, served, queue)
        with suppress(KeyboardInterrupt):
            _print_instructions(server.server_port, served, s3_folder)
            server.serve_forever()
        click.echo("\nStopping.")
        queue.stop()
    os._exit(0)  # sys.exit would wait for the threads of requests in flight


def _print_instructions(port: int, endpoint: Endpoint, s3_folder: Path) -> None:
    click.echo(f"""
SageMaker Runtime emulator: endpoint {endpoint.name} at http://127.0.0.1:{port}
Limits: {endpoint.max_body_bytes // MIB} MiB per body, \
{endpoint.response_timeout_seconds:g} s per response.
It accepts connections from this machine only, and any credentials. To use it, run

  export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=http://127.0.0.1:{port}
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1

s3://BUCKET/KEY is the file {s3_folder}/BUCKET/KEY. Press Ctrl-C to stop.""")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
