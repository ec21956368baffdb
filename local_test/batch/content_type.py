"""The media type of the input, by the suffix of its name."""

from pathlib import Path

from local_test.batch.errors import JobFailed
from serve.media.types import JSON, JSON_LINES, LIBSVM, SUFFIXES

# The suffixes of files that can be split into lines.
LINE_SUFFIXES = {suffix: name for suffix, name in SUFFIXES.items() if name != JSON}
LINE_SUFFIXES |= {".jsonlines": JSON_LINES, ".libsvm": LIBSVM}


def detect_content_type(path: Path) -> str:
    """Return the media type of a file, which may end in .gz; raises JobFailed if it is unknown."""
    is_gzip = path.suffix.lower() == ".gz"
    suffix = (path.with_suffix("") if is_gzip else path).suffix.lower()
    if suffix in LINE_SUFFIXES:
        return LINE_SUFFIXES[suffix]
    if SUFFIXES.get(suffix) == JSON:
        raise JobFailed(
            f"{path}: a JSON document cannot be split into lines; convert it to JSON Lines (.jsonl)"
        )
    raise JobFailed(
        f"{path}: expected a name that ends in {', '.join(LINE_SUFFIXES)}; "
        "otherwise set CONTENT_TYPE=TYPE (--content-type TYPE)"
    )
