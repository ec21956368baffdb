"""Runs a batch transform job on this machine as SageMaker would: split by lines, packed, sent at once, assembled."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from container.local_server import SAMPLE_ARTIFACT, NotServing, serving, stop_on_sigterm
from local_test.address import BadAddress, base_of
from local_test.batch.errors import JobFailed
from local_test.batch.header import Header, first_difference, header_of
from local_test.batch.invoking import Container
from local_test.batch.job import Count, transform
from local_test.batch.parameters import Parameters, Wishes, agree
from local_test.batch.progress import shown
from local_test.batch.sink import writing
from local_test.batch.slices import split
from local_test.batch.source import reading

MEDIA_TYPES = {
    ".csv": "text/csv",
    ".jsonl": "application/jsonlines",
    ".jsonlines": "application/jsonlines",
    ".libsvm": "text/libsvm",
}
A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("source", metavar="INPUT", type=A_FILE)
@click.argument("output", metavar="[OUTPUT]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=SAMPLE_ARTIFACT,
    help="The artifact.",
)
@click.option("--endpoint", help="The URL of a server that runs already, instead of starting one.")
@click.option("--image", help="The image to start, if Docker has it.")
@click.option("--content-type", help="The input's media type; by default that of its name.")
@click.option("--accept", help="The output's media type; by default the container's choice.")
@click.option(
    "--max-payload-in-mb", type=click.IntRange(0, 100), help="The longest payload; 0 for no limit."
)
@click.option(
    "--max-concurrent-transforms", type=click.IntRange(1), help="How many payloads go out at once."
)
@click.option(
    "--strategy",
    type=click.Choice(["MultiRecord", "SingleRecord"]),
    help="As many lines as fit in a payload, or one.",
)
@click.option(
    "--header",
    type=click.Choice(["drop", "repeat", "send"]),
    help="What becomes of a first line of names.",
)
@click.option(
    "--retries",
    type=click.IntRange(0, 3),
    default=3,
    show_default=True,
    help="InvocationsMaxRetries.",
)
@click.option(
    "--timeout",
    type=click.IntRange(1, 3600),
    default=600,
    show_default=True,
    help="InvocationsTimeoutInSeconds.",
)
def main(  # noqa: PLR0913  # a command has its options
    *, source: Path, output: Path | None, folder: Path, endpoint: str | None, image: str | None, content_type: str | None,
    accept: str | None, max_payload_in_mb: int | None, max_concurrent_transforms: int | None, strategy: str | None,
    header: str | None, retries: int, timeout: int,
) -> None:  # fmt: skip
    """Transform the lines of INPUT into those of OUTPUT, by default INPUT.out."""
    stop_on_sigterm()
    wishes = Wishes(max_concurrent_transforms, strategy, max_payload_in_mb)
    target = output or source.with_name(f"{source.name}.out")
    try:
        media_type = content_type or _media_type(source)
        if target.exists() and target.samefile(source):
            raise JobFailed("the output would replace the input: name another with OUTPUT=")
        first = _header(source, media_type, header)
        if first and first.fate == "repeat" and "header=" not in media_type:
            media_type = f"{media_type}; header=present"
        with _container(base_of(endpoint) if endpoint else None, folder, image, wishes) as url:
            parameters = agree(url, wishes)
            if first and first.fate != "repeat":
                _check_order(first, url, media_type)
            click.echo(f"{parameters}, SplitType=Line, AssembleWith=Line", err=True)
            at_once, chunked = parameters.max_concurrent_transforms, not parameters.max_payload_mib
            container = Container(url, media_type, accept, at_once, chunked, retries, timeout)
            start = time.monotonic()
            count = _run(source, target, container, parameters, first)
        seconds = time.monotonic() - start
    except (BadAddress, JobFailed, NotServing) as error:
        sys.exit(f"The job failed, and wrote nothing: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped, and wrote nothing.")
    click.echo(
        f"{count.rows:,} rows in {seconds:.2f} s, {count.rows / seconds:,.0f} rows/s, in {_slices(count)}: {target}"
    )


def _header(source: Path, media_type: str, fate: str | None) -> Header | None:
    """Return the first line if it holds names; raises JobFailed if it seems to and nobody said what becomes of it."""
    header = header_of(source, media_type) if media_type.startswith(("text/csv", "csv")) else None
    if header is None and fate:
        raise JobFailed(
            f"HEADER={fate}, but the first line of {source} is not one: leave HEADER out"
        )
    if header is None:
        return None
    if fate is None:
        seen = header.line.decode("utf-8", "replace").strip()[:80]
        raise JobFailed(
            f"the first line of {source} seems to be a header, {seen!r}. The service "
            "splits by lines: only its first payload would have the names, all others would be read in the model's own order. "
            "Choose HEADER=drop (the columns are in that order), HEADER=repeat (names before every payload, which the service "
            "cannot do), or HEADER=send (as the service does it)"
        )
    return replace(header, fate=fate)


def _check_order(header: Header, url: str, media_type: str) -> None:
    """Have the columns of rows without a header be those of the model, in its order; raises JobFailed."""
    found = first_difference(header, url, media_type)
    if found is None:
        click.echo(
            "Whether the columns are the model's was not checked: the container does not tell their names of the first record",
            err=True,
        )
    elif found and header.fate == "drop":
        raise JobFailed(
            f"HEADER=drop, but the file's columns are not the model's: {found}. Put them into the model's order, or use "
            "HEADER=repeat, which has them read by their names"
        )
    elif found:
        click.echo(
            f"All payloads but the first will be read wrongly: their columns are not the model's: {found}",
            err=True,
        )


def _media_type(source: Path) -> str:
    name = source.with_suffix("") if source.suffix.lower() == ".gz" else source
    try:
        return MEDIA_TYPES[name.suffix.lower()]
    except KeyError as error:
        why = (
            "a document of JSON cannot be cut into lines: write JSON lines"
            if name.suffix.lower() == ".json"
            else ""
        )
        expected = f"expected a name that ends in {', '.join(MEDIA_TYPES)}, or CONTENT_TYPE= with the media type of its lines"
        raise JobFailed(f"{source}: {why or expected}") from error


def _slices(count: Count) -> str:
    return "1 slice" if count.slices == 1 else f"{count.slices:,} slices"


@contextmanager
def _container(
    endpoint: str | None, folder: Path, image: str | None, wishes: Wishes
) -> Iterator[str]:
    if endpoint:
        yield endpoint
        return
    quiet = {
        "SAGEMAKER_CONTAINER_LOG_LEVEL": os.environ.get("SAGEMAKER_CONTAINER_LOG_LEVEL", "WARNING")
    }
    with serving(folder, image=image, environment=quiet | wishes.environment()) as container:
        click.echo(
            f"Started {container.command}, ready after {container.seconds_until_ready:.1f} s",
            err=True,
        )
        yield container.url


def _run(
    source: Path, target: Path, container: Container, parameters: Parameters, header: Header | None
) -> Count:
    """Send the file and write its output; raises JobFailed."""
    with reading(source) as file, writing(target) as output, shown(file) as moved:
        lines = file.lines(parameters.payload_bytes)
        if header:
            next(lines, b"")
        sent = header.line if header and header.fate != "drop" else b""
        slices = split(
            lines, parameters, header=sent, repeated=bool(header and header.fate == "repeat")
        )
        return transform(slices, container, output, moved, lambda text: click.echo(text, err=True))


if __name__ == "__main__":
    main(prog_name="python -m local_test.batch")
