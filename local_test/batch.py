"""Runs a batch transform job on this machine as SageMaker would: split by lines, packed, sent at once, assembled."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from local_test.container import SAMPLE_ARTEFACT, NotServing, serving, stop_on_sigterm
from local_test.transform.errors import JobFailed
from local_test.transform.invoking import Container
from local_test.transform.job import Count, transform
from local_test.transform.parameters import Parameters, Wishes, agree
from local_test.transform.progress import shown
from local_test.transform.sink import writing
from local_test.transform.slices import split
from local_test.transform.source import Header, header_of, reading

MEDIA_TYPES = {".jsonl": "application/jsonlines", ".jsonlines": "application/jsonlines", ".libsvm": "text/libsvm"}
A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("source", metavar="INPUT", type=A_FILE)
@click.argument("output", metavar="[OUTPUT]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=SAMPLE_ARTEFACT, help="The artefact."
)
@click.option("--endpoint", help="The URL of a server that runs already, instead of starting one.")
@click.option("--image", help="The image to start, if Docker has it.")
@click.option("--content-type", help="The input's media type; by default that of its name, or text/csv.")
@click.option("--accept", help="The output's media type; by default the container's choice.")
@click.option("--max-payload-in-mb", type=click.IntRange(0, 100), help="The longest payload; 0 for no limit.")
@click.option("--max-concurrent-transforms", type=click.IntRange(1), help="How many payloads go out at once.")
@click.option("--strategy", type=click.Choice(["MultiRecord", "SingleRecord"]), help="As many lines as fit in a payload, or one.")
@click.option("--header", type=click.Choice(["drop", "repeat", "send"]), help="What becomes of a first line of names.")
@click.option("--retries", type=click.IntRange(0, 3), default=3, show_default=True, help="InvocationsMaxRetries.")
@click.option("--timeout", type=click.IntRange(1, 3600), default=600, show_default=True, help="InvocationsTimeoutInSeconds.")
def main(  # noqa: PLR0913  # a command has its options
    *, source: Path, output: Path | None, folder: Path, endpoint: str | None, image: str | None, content_type: str | None,
    accept: str | None, max_payload_in_mb: int | None, max_concurrent_transforms: int | None, strategy: str | None,
    header: str | None, retries: int, timeout: int,
) -> None:  # fmt: skip
    """Transform the lines of INPUT into those of OUTPUT, by default INPUT.out."""
    stop_on_sigterm()
    wishes = Wishes(max_concurrent_transforms, strategy, max_payload_in_mb)
    media_type = content_type or MEDIA_TYPES.get(
        source.with_suffix("").suffix if source.suffix == ".gz" else source.suffix, "text/csv"
    )
    target = output or source.with_name(f"{source.name}.out")
    try:
        if target.exists() and target.samefile(source):
            raise JobFailed("the output would replace the input: name another with OUTPUT=")
        first = _header(source, media_type, header)
        if first and first.fate == "repeat" and "header=" not in media_type:
            media_type = f"{media_type}; header=present"
        with _container(endpoint, folder, image, wishes) as url:
            parameters = agree(url, wishes)
            click.echo(f"{parameters}, SplitType=Line, AssembleWith=Line", err=True)
            at_once, chunked = parameters.max_concurrent_transforms, not parameters.max_payload_mib
            container = Container(url, media_type, accept, at_once, chunked, retries, timeout)
            start = time.monotonic()
            count = _run(source, target, container, parameters, first)
        seconds = time.monotonic() - start
    except (JobFailed, NotServing) as error:
        sys.exit(f"The job failed, and wrote nothing: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped, and wrote nothing.")
    click.echo(f"{count.rows:,} rows in {seconds:.2f} s, {count.rows / seconds:,.0f} rows/s, in {count.slices:,} slices: {target}")


def _header(source: Path, media_type: str, fate: str | None) -> Header | None:
    """Return the first line if it holds names; raises JobFailed if it seems to and nobody said what becomes of it."""
    line = header_of(source) if media_type.startswith(("text/csv", "csv")) else None
    if line is None and fate:
        raise JobFailed(f"HEADER={fate}, but the first line of {source} is not one: leave HEADER out")
    if line is None:
        return None
    if fate is None:
        raise JobFailed(
            f"the first line of {source} seems to be a header, {line.decode('utf-8', 'replace').strip()[:80]!r}. The service "
            "splits by lines: only its first payload would have the names, all others would be read in the model's own order. "
            "Choose HEADER=drop (the columns are in that order), HEADER=repeat (names before every payload, which the service "
            "cannot do), or HEADER=send (as the service does it)"
        )
    return Header(line, fate)


@contextmanager
def _container(endpoint: str | None, folder: Path, image: str | None, wishes: Wishes) -> Iterator[str]:
    if endpoint:
        yield endpoint.rstrip("/")
        return
    quiet = {"SAGEMAKER_CONTAINER_LOG_LEVEL": os.environ.get("SAGEMAKER_CONTAINER_LOG_LEVEL", "WARNING")}
    with serving(folder, image=image, environment=quiet | wishes.environment()) as container:
        click.echo(f"Started {container.words}, ready after {container.seconds_until_ready:.1f} s", err=True)
        yield container.url


def _run(source: Path, target: Path, container: Container, parameters: Parameters, header: Header | None) -> Count:
    """Send the file and write its output; raises JobFailed."""
    with reading(source) as file, writing(target) as output, shown(file) as moved:
        lines = file.lines(parameters.payload_bytes)
        if header:
            next(lines, b"")
        sent = header.line if header and header.fate != "drop" else b""
        slices = split(lines, parameters, header=sent, repeated=bool(header and header.fate == "repeat"))
        return transform(slices, container, output, moved, lambda text: click.echo(text, err=True))


if __name__ == "__main__":
    main(prog_name="make batch")
