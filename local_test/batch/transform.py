"""Transforms an input file into an output file, with progress."""

from dataclasses import dataclass
from pathlib import Path

from local_test.batch.blank_end import strip_blank_end
from local_test.batch.container_client import ContainerClient
from local_test.batch.header import Header
from local_test.batch.input_file import open_input
from local_test.batch.job import Progress, run_job
from local_test.batch.join import choose_assembler
from local_test.batch.mini_batch import pack
from local_test.batch.output_file import replace_output
from local_test.batch.parameters import JobParameters
from local_test.batch.progress import show_progress


@dataclass(frozen=True, slots=True)
class LineOptions:
    """The header of the input, if any, and whether each line gets its predictions added."""

    header: Header | None
    join: bool


def transform_file(
    source: Path,
    target: Path,
    client: ContainerClient,
    parameters: JobParameters,
    options: LineOptions,
) -> Progress:
    """Send the lines of ``source`` to the container, and write the output to ``target``.

    Raises:
        JobFailed: a file cannot be read or written, or the container failed.
    """
    with (
        open_input(source) as input_file,
        replace_output(target) as output,
        show_progress(input_file) as on_progress,
    ):
        header = options.header
        lines = input_file.lines(parameters.max_payload_bytes)
        if header:
            next(lines, b"")
        mini_batches = pack(
            strip_blank_end(lines, client.content_type),
            parameters,
            header=header.line if header and header.mode != "drop" else b"",
            repeat_header=header is not None and header.mode == "repeat",
        )
        assemble = choose_assembler(client.content_type, header, join=options.join)
        return run_job(mini_batches, client, output, assemble, on_progress)
