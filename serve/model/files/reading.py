"""Read a whole file of the artifact: only a regular file, and only up to a size limit."""

import os
from pathlib import Path

from serve.errors import BadArtifact
from serve.model.files.listing import NotReadable, open_regular, suggest_replacement
from serve.text import printable

MIB = 1 << 20
MAX_SCHEMA_BYTES = 64 * MIB
MAX_PAYLOAD_BYTES = 128 * MIB  # of a self-test, and of a sample payload
MAX_CHECKSUM_BYTES = MIB
# A larger model could not be loaded.
MAX_MODEL_BYTES = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def read_file(path: Path, max_bytes: int) -> bytes:
    """Return the content of a file of the artifact; raises BadArtifact, with what to do."""
    try:
        return read_regular(path, max_bytes)
    except NotReadable as error:
        fix = suggest_replacement(str(error))
        raise BadArtifact(f"{printable(path)} {error}: {fix}") from error


def read_regular(path: Path, max_bytes: int) -> bytes:
    """Return the content of a regular file.

    Raises NotReadable for anything else, and for a file that is larger, which is not read.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise NotReadable(
                f"has {size // MIB:,} MiB, more than the limit of {max_bytes // MIB:,} MiB"
            )
        return file.read(size)
