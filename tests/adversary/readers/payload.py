"""Read a payload strictly, by its media type and parameters."""

import gzip
import re
import zlib
from collections.abc import Callable

from tests.adversary.columns import Invalid
from tests.adversary.models import Model
from tests.adversary.payloads import Payload
from tests.adversary.readers import binary, csv, json, libsvm
from tests.adversary.readers.rows import Rows

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PARAMETER = re.compile(r';\s*([\w-]+)\s*=\s*("[^"]*"|[^;\s]*)\s*')

Reader = Callable[[bytes, dict[str, str], Model], Rows]
READERS: dict[str, Reader] = {
    "text/csv": csv.read_csv,
    "csv": csv.read_csv,
    "application/json": json.read_json,
    "application/jsonlines": json.read_json_lines,
    "text/libsvm": libsvm.read_libsvm,
    "text/x-libsvm": libsvm.read_libsvm,
    "libsvm": libsvm.read_libsvm,
    "application/x-recordio-protobuf": binary.read_recordio,
    "recordio-protobuf": binary.read_recordio,
    "application/x-npy": binary.read_npy,
}
TEXT_READERS = (csv.read_csv, json.read_json, json.read_json_lines, libsvm.read_libsvm)


def read_payload(payload: Payload, model: Model, *, row_errors: bool) -> Rows:
    """Return the rows of a payload; a bad row is None if ``row_errors``.

    Raises Invalid.
    """
    content_type = payload.content_type or "text/csv"
    reader = READERS.get(content_type.partition(";")[0].strip().lower())
    if reader is None:
        raise Invalid(f"Content-Type: {content_type}")
    parameters = dict(_list_parameters(content_type))
    if row_errors:
        parameters["row_errors"] = "true"
    body = decompress(payload)
    if reader in TEXT_READERS:
        body = body.removeprefix(BYTE_ORDER_MARK)
    return reader(body, parameters, model)


def _list_parameters(content_type: str) -> list[tuple[str, str]]:
    found = PARAMETER.findall(content_type)
    return [(name.lower(), value.strip('"')) for name, value in found]


def decompress(payload: Payload) -> bytes:
    """Return the body without its Content-Encoding; raises Invalid."""
    if not payload.content_encoding:
        return payload.body
    try:
        return gzip.decompress(payload.body)
    except (OSError, EOFError, zlib.error) as error:
        raise Invalid(str(error)) from error
