"""Checks the command line's values and starts the emulator's parts; errors end the command."""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile

import click
from werkzeug.serving import BaseWSGIServer, make_server

from container.local_server import NotServing, serving
from local_test.runtime.application import create_app
from local_test.runtime.asynchronous import AsyncQueue
from local_test.runtime.data_capture import DataCapture
from local_test.runtime.endpoint import Endpoint
from local_test.runtime.local_s3 import LocalS3
from local_test.runtime.parameters import MAX_NAME_LENGTH, NAME
from local_test.runtime.variant_option import VariantOption
from local_test.runtime.variants import Variant
from serve.text import quoted


def check_names(names: Sequence[str]) -> None:
    """Check that SageMaker allows the names; raises click.UsageError."""
    for name in names:
        if not re.fullmatch(NAME, name) or len(name) > MAX_NAME_LENGTH:
            raise click.UsageError(
                f"invalid name {quoted(name)}: expected 1 to {MAX_NAME_LENGTH} letters, digits and "
                "hyphens, with a letter or digit first and last"
            )


def check_variants(options: Sequence[VariantOption]) -> None:
    """Check that names are unique and a weight is above 0; raises click.UsageError."""
    names = [option.name for option in options]
    if len(set(names)) < len(names):
        raise click.UsageError(f"--variant: expected unique names, got {', '.join(names)}")
    if not any(option.weight for option in options):
        raise click.UsageError("--variant: expected at least one weight above 0")


def open_s3(folder: Path) -> LocalS3:
    """Create the folder if necessary, check that it is writable, and return it as local S3."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return LocalS3(folder)
    except OSError as error:
        message = f"--s3: expected a writable folder, got {folder}: {error.strerror}"
        raise click.ClickException(message) from error


def start_variant(stack: ExitStack, option: VariantOption, image: str | None) -> Variant:
    """Start the container of a variant; it stops when ``stack`` is closed."""
    try:
        container = stack.enter_context(serving(option.folder, image=image))
    except NotServing as error:
        message = f"variant {option.name} on {option.folder}: {error}"
        raise click.ClickException(message) from error
    click.echo(
        f"Variant {option.name}: {container.command} on {option.folder}, "
        f"ready after {container.seconds_until_ready:.1f} s, {container.url}"
    )
    return Variant(option.name, container.url, option.weight)


def create_data_capture(s3_folder: Path, percentage: int) -> DataCapture | None:
    """Return the data capture for a sampling percentage, or None for 0."""
    if not percentage:
        return None
    return DataCapture(s3_folder / "sagemaker-local" / "data-capture", percentage)


def create_server(port: int, endpoint: Endpoint, queue: AsyncQueue) -> BaseWSGIServer:
    """Return the API's server, which already listens on its port."""
    try:
        return make_server("127.0.0.1", port, create_app(endpoint, queue), threaded=True)
    except SystemExit:  # Werkzeug has printed the reason
        message = f"cannot listen on port {port}: choose another with --port (make: PORT=)"
        raise click.ClickException(message) from None
