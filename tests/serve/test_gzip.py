"""Content-Encoding: gzip, undone within the payload's limit, and no other."""

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.boosters import numbers, predictions, saved, train
from tests.support.protobuf import dense
from tests.support.responses import error_of, scores
from tests.support.server import Server, running

WIDTH = 3
LIMIT = 1_000_000
BOOSTER = train(numbers(300, WIDTH, seed=1), names=["a", "b", "c"])
MATRIX = numbers(50, WIDTH, seed=2, missing=0)
LISTS = MATRIX.tolist()
TEXT = "".join(",".join(map(repr, row)) + "\n" for row in LISTS).encode()


@pytest.fixture(scope="module")
def server(models: Path) -> Iterator[Server]:
    with running(saved(BOOSTER, models / "gzip"), MAX_CONTENT_LENGTH=str(LIMIT)) as running_server:
        yield running_server


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (TEXT, "text/csv"),
        (json.dumps(LISTS).encode(), "application/json"),
        ("\n".join(map(json.dumps, LISTS)).encode(), "application/jsonlines"),
        (
            "".join(
                " ".join(f"{place}:{cell!r}" for place, cell in enumerate(row)) + "\n"
                for row in LISTS
            ).encode(),
            "text/libsvm",
        ),
        (dense(MATRIX), "application/x-recordio-protobuf"),
    ],
)
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "identity, gzip"])
def test_gzip_of_any_type(server: Server, body: bytes, content_type: str, encoding: str) -> None:
    """A compressed payload is predicted as it is uncompressed, whatever its media type."""
    response = server.post(gzip.compress(body), content_type, Content_Encoding=encoding)

    np.testing.assert_array_equal(scores(response), predictions(BOOSTER, MATRIX))


@pytest.mark.parametrize("encoding", ["", "identity", None])
def test_no_encoding(server: Server, encoding: str | None) -> None:
    """A body that is not encoded may say so."""
    np.testing.assert_array_equal(
        scores(server.post(TEXT, Content_Encoding=encoding)), predictions(BOOSTER, MATRIX)
    )


def test_members_follow_one_another(server: Server) -> None:
    """RFC 1952, 2.2: a gzip file may have several members, empty ones too."""
    parts = [gzip.compress(TEXT[:100]), gzip.compress(b""), gzip.compress(TEXT[100:])]

    np.testing.assert_array_equal(
        scores(server.post(b"".join(parts), Content_Encoding="gzip")), predictions(BOOSTER, MATRIX)
    )


def test_gzip_of_no_bytes_is_204(server: Server) -> None:
    """3.14: zero bytes are answered by 204, compressed or not."""
    assert server.post(gzip.compress(b""), Content_Encoding="gzip").status_code == 204
    assert server.post(b"", Content_Encoding="gzip").status_code == 204


@pytest.mark.parametrize("encoding", ["br", "deflate", "compress", "gzip, gzip", "zstd", "*"])
def test_other_encodings_are_415(server: Server, encoding: str) -> None:
    """RFC 9110, 8.4: an encoding that is not undone here is a 415 that says which is."""
    response = server.post(TEXT, Content_Encoding=encoding)

    assert response.status_code == 415
    assert error_of(response) == f'Content-Encoding: "{encoding}": expected gzip or none'


WHOLE = gzip.compress(
    TEXT, mtime=0
)  # parts of it name tests, which each worker that runs tests must name alike


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (WHOLE[:-1], "the body is cut off"),
        (WHOLE[:20], "the body is cut off"),
        (WHOLE[:5], "the body is cut off"),
        (WHOLE + WHOLE[:9], "the body is cut off"),
        (WHOLE[:-8] + bytes(4) + WHOLE[-4:], "the body is no gzip, or damaged"),
        (WHOLE[:-4] + bytes(4), "the body is no gzip, or damaged"),
        (WHOLE[:60] + bytes(20) + WHOLE[80:], "the body is no gzip, or damaged"),
        (WHOLE + b"1,2,3\n", "the body is no gzip, or damaged"),
        (zlib.compress(TEXT), "the body is no gzip, or damaged"),
        (TEXT, "the body is no gzip, or damaged"),
    ],
)
def test_damaged_gzip_is_400(server: Server, body: bytes, message: str) -> None:
    """3.13: what is cut off, damaged or no gzip at all is a 400, and never scored in part."""
    response = server.post(body, Content_Encoding="gzip")

    assert response.status_code == 400
    assert error_of(response) == f"Content-Encoding: gzip: {message}"


def test_the_limit_counts_what_comes_out(server: Server) -> None:
    """3.19: a payload may be as long as the limit when it is uncompressed; one byte more is a 413 with both numbers."""
    line = b"1,2,3\n"
    fits = line * (LIMIT // len(line))
    fits += b"\n" * (LIMIT - len(fits))
    longer = gzip.compress(fits + b"\n")
    good, bad = (
        server.post(gzip.compress(fits), Content_Encoding="gzip"),
        server.post(longer, Content_Encoding="gzip"),
    )

    assert len(scores(good)) == LIMIT // len(line)
    assert bad.status_code == 413
    assert (
        f"expected 1,000,000 bytes at most, got more from {len(longer):,} bytes of gzip"
        in error_of(bad)
    )


def test_a_bomb_is_never_unpacked(models: Path) -> None:
    """A body that would unpack to 2 GB is refused, and the server's memory does not grow by it."""
    piece = gzip.compress(bytes(1 << 26))
    with running(
        saved(BOOSTER, models / "gzip-bomb"), SAGEMAKER_MODEL_SERVER_WORKERS="1"
    ) as server:
        server.post(TEXT)
        before = most_memory(server)
        response = server.post(piece * 32, Content_Encoding="gzip")
        after = most_memory(server)

    assert response.status_code == 413
    assert after - before < 300 << 20  # the limit is 100 MiB


def most_memory(server: Server) -> int:
    """Return the most bytes that any process of a server has held so far."""
    assert server.process
    master = server.process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    status = "".join(Path(f"/proc/{each}/status").read_text() for each in [str(master), *children])
    return max(
        int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM")
    )


def test_incompressible_bodies(server: Server) -> None:
    """A body longer than one piece, and hardly compressed, comes out whole."""
    digits = (
        os.urandom(150_000)
        .hex()
        .replace("a", "1")
        .replace("b", "2")
        .replace("c", "3")
        .translate(str.maketrans("def", "456"))
    )
    text = "".join(
        f"{digits[start : start + 6]},1,2\n" for start in range(0, len(digits), 6)
    ).encode()
    body = gzip.compress(text, 1)

    np.testing.assert_array_equal(
        scores(server.post(body, Content_Encoding="gzip")), scores(server.post(text))
    )
