"""The command line of a batch transform job on this machine."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from container.local_server import SAMPLE_ARTIFACT, NotServing, serving, stop_on_sigterm
from local_test.base_url import InvalidUrl, parse_base_url
from local_test.batch.accept import build_accept
from local_test.batch.automatic_header import choose_mode
from local_test.batch.column_check import check_columns
from local_test.batch.container_client import ContainerClient
from local_test.batch.content_type import detect_content_type
from local_test.batch.errors import JobFailed
from local_test.batch.header import AUTO, MODES, declare_header, read_header
from local_test.batch.job import Progress
from local_test.batch.parameters import RequestedParameters, resolve_parameters
from local_test.batch.transform import LineOptions, transform_file
from serve.text import counted

LOG_LEVEL = "SAGEMAKER_CONTAINER_LOG_LEVEL"


@click.command()
@click.argument(
    "source", metavar="INPUT", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.argument("output", metavar="[OUTPUT]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder of the model artifact. The default is the sample model.",
)
@click.option(
    "--endpoint", metavar="URL", help="URL of a running server to use instead of starting one."
)
@click.option(
    "--image",
    metavar="NAME",
    help="Docker image of the container. Without it, or if Docker does not have the image, "
    "the server runs in this Python environment.",
)
@click.option(
    "--content-type",
    metavar="TYPE",
    help="Media type of the input. The default depends on its suffix: .csv, .jsonl, .jsonlines "
    "or .libsvm, each also with .gz.",
)
@click.option(
    "--accept",
    metavar="TYPE",
    help="Media type of the output. The default is the container's choice.",
)
@click.option(
    "--outputs",
    metavar="KEYS",
    help="Outputs of the container, such as class+probability. The default is the container's.",
)
@click.option(
    "--join",
    is_flag=True,
    help="Write the lines of the input with the predictions added, in CSV as named columns.",
)
@click.option(
    "--max-payload-in-mb",
    type=click.IntRange(0, 100),
    help="MaxPayloadInMB: maximum size of a payload; 0 sends the file as one payload. "
    "The default is the container's value, or 6.",
)
@click.option(
    "--max-concurrent-transforms",
    type=click.IntRange(1),
    help="MaxConcurrentTransforms: maximum number of concurrent requests. "
    "The default is the container's value, or 1.",
)
@click.option(
    "--strategy",
    type=click.Choice(["MultiRecord", "SingleRecord"]),
    help="BatchStrategy: as many lines per payload as fit, or one line. "
    "The default is the container's value, or MultiRecord.",
)
@click.option(
    "--header",
    type=click.Choice(MODES),
    default=AUTO,
    show_default=True,
    help="Treatment of a header line: drop it, repeat it in every payload, or send it in the "
    "first payload only, as SageMaker does; auto repeats it if it has the model's names.",
)
@click.option(
    "--retries",
    type=click.IntRange(0, 3),
    default=3,
    show_default=True,
    help="InvocationsMaxRetries: maximum number of retries of a failed request.",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    metavar="SECONDS",
    type=click.IntRange(1, 3600),
    default=600,
    show_default=True,
    help="InvocationsTimeoutInSeconds: maximum time until the container responds.",
)
def main(  # noqa: PLR0913  # one argument per option
    *,
    source: Path,
    output: Path | None,
    folder: Path | None,
    endpoint: str | None,
    image: str | None,
    content_type: str | None,
    accept: str | None,
    outputs: str | None,
    join: bool,
    max_payload_in_mb: int | None,
    max_concurrent_transforms: int | None,
    strategy: str | None,
    header: str,
    retries: int,
    timeout_seconds: int,
) -> None:
    """Run a batch transform job on INPUT, as SageMaker would, and write its predictions to OUTPUT.

    INPUT has one record per line, and may be compressed by gzip. OUTPUT has one line per record, in
    the same order; the default is INPUT with .out appended. The job uses SplitType=Line and
    AssembleWith=Line. If it fails, it writes nothing.
    """
    stop_on_sigterm()
    requested = RequestedParameters(max_concurrent_transforms, strategy, max_payload_in_mb)
    target = output or source.with_name(f"{source.name}.out")
    try:
        media_type = content_type or detect_content_type(source)
        if target.exists() and target.samefile(source):
            raise JobFailed("the output would replace the input: choose another OUTPUT")
        accept = build_accept(accept, outputs, media_type, join=join)
        file_header = read_header(source, media_type, header)
        base_url = parse_base_url(endpoint) if endpoint else None
        with _provide_container(base_url, folder, image, requested) as url:
            parameters = resolve_parameters(url, requested)
            if file_header:
                file_header = choose_mode(file_header, source, url, media_type, _report)
            if file_header:
                media_type = declare_header(file_header, media_type)
                check_columns(file_header, url, media_type, _report)
            _report(f"{parameters}, SplitType=Line, AssembleWith=Line")
            client = ContainerClient(
                url,
                media_type,
                accept,
                max_concurrency=parameters.max_concurrent_transforms,
                is_chunked=parameters.max_payload_mib == 0,
                max_retries=retries,
                timeout_seconds=timeout_seconds,
            )
            start = time.monotonic()
            progress = transform_file(
                source, target, client, parameters, LineOptions(file_header, join)
            )
            seconds = time.monotonic() - start
    except (InvalidUrl, JobFailed, NotServing) as error:
        sys.exit(f"job failed, no output written: {error}")
    except KeyboardInterrupt:
        sys.exit("job interrupted, no output written")
    click.echo(_summarize(progress, seconds, target))


@contextmanager
def _provide_container(
    url: str | None, folder: Path | None, image: str | None, requested: RequestedParameters
) -> Iterator[str]:
    """Yield the URL of the running server, or of a container started for the block."""
    if url and (folder or image):
        raise JobFailed(
            "ENDPOINT (--endpoint) is a running server, which has its own model: "
            f"remove {'FOLDER (--folder)' if folder else 'IMAGE (--image)'} or ENDPOINT"
        )
    if url:
        yield url
        return
    environment = {LOG_LEVEL: os.environ.get(LOG_LEVEL, "WARNING"), **requested.environment()}
    with serving(folder or SAMPLE_ARTIFACT, image=image, environment=environment) as container:
        _report(f"Started {container.command}, ready after {container.seconds_until_ready:.1f} s")
        yield container.url


def _summarize(progress: Progress, seconds: float, target: Path) -> str:
    rows = counted(progress.row_count, "row")
    mini_batches = f"{progress.mini_batch_count:,} mini-batches"
    if progress.mini_batch_count == 1:
        mini_batches = "1 mini-batch"
    rate = progress.row_count / seconds
    return f"{rows} in {seconds:.2f} s, {rate:,.0f} rows/s, in {mini_batches}: {target}"


def _report(message: str) -> None:
    """Print a message to standard error; standard output has only the summary."""
    click.echo(message, err=True)


if __name__ == "__main__":
    main(prog_name="python -m local_test.batch")
