"""Content-Encoding: gzip is decoded within the payload limit; others are rejected."""

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.protobuf import dense
from tests.support.responses import error_of, scores
from tests.support.server import Server, running

WIDTH = 3
LIMIT = 1_000_000
BOOSTER = train(random_features(300, WIDTH, seed=1), names=["a", "b", "c"])
MATRIX = random_features(50, WIDTH, seed=2, missing=0)
LISTS = MATRIX.tolist()
TEXT = "".join(",".join(map(repr, row)) + "\n" for row in LISTS).encode()


@pytest.fixture(scope="module")
def server(models: Path) -> Iterator[Server]:
    with running(
        save_artifact(BOOSTER, models / "gzip"), MAX_CONTENT_LENGTH=str(LIMIT)
    ) as running_server:
        yield running_server


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (TEXT, "text/csv"),
        (json.dumps(LISTS).encode(), "application/json"),
        ("\n".join(map(json.dumps, LISTS)).encode(), "application/jsonlines"),
        (
            "".join(
                " ".join(f"{index}:{cell!r}" for index, cell in enumerate(row)) + "\n"
                for row in LISTS
            ).encode(),
            "text/libsvm; label=absent",
        ),
        (dense(MATRIX), "application/x-recordio-protobuf"),
    ],
)
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "identity, gzip"])
def test_gzip_of_any_media_type(
    server: Server, body: bytes, content_type: str, encoding: str
) -> None:
    """A compressed payload of any media type gets the same predictions as an uncompressed one."""
    response = server.post(gzip.compress(body), content_type, Content_Encoding=encoding)

    np.testing.assert_array_equal(scores(response), predict_with_xgboost(BOOSTER, MATRIX))


@pytest.mark.parametrize("encoding", ["", "identity", None])
def test_no_encoding(server: Server, encoding: str | None) -> None:
    """An uncompressed body may have the encoding identity, an empty one or none."""
    np.testing.assert_array_equal(
        scores(server.post(TEXT, Content_Encoding=encoding)), predict_with_xgboost(BOOSTER, MATRIX)
    )


def test_several_gzip_members(server: Server) -> None:
    """RFC 1952, 2.2: a gzip body may have several members, including empty ones."""
    parts = [gzip.compress(TEXT[:100]), gzip.compress(b""), gzip.compress(TEXT[100:])]

    np.testing.assert_array_equal(
        scores(server.post(b"".join(parts), Content_Encoding="gzip")),
        predict_with_xgboost(BOOSTER, MATRIX),
    )


def test_gzip_of_no_bytes_is_204(server: Server) -> None:
    """3.14: an empty payload is a 204, compressed or not."""
    assert server.post(gzip.compress(b""), Content_Encoding="gzip").status_code == 204
    assert server.post(b"", Content_Encoding="gzip").status_code == 204


@pytest.mark.parametrize("encoding", ["br", "deflate", "compress", "gzip, gzip", "zstd", "*"])
def test_other_encodings_are_415(server: Server, encoding: str) -> None:
    """RFC 9110, 8.4: an unsupported encoding is a 415 that names the supported one."""
    response = server.post(TEXT, Content_Encoding=encoding)

    assert response.status_code == 415
    assert error_of(response) == f'unsupported Content-Encoding "{encoding}": expected gzip or none'


# Without a time, because test IDs contain parts of it, and all pytest workers need the same IDs.
COMPRESSED = gzip.compress(TEXT, mtime=0)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (COMPRESSED[:-1], "the body is truncated"),
        (COMPRESSED[:20], "the body is truncated"),
        (COMPRESSED[:5], "the body is truncated"),
        (COMPRESSED + COMPRESSED[:9], "the body is truncated"),
        (COMPRESSED[:-8] + bytes(4) + COMPRESSED[-4:], "the body is not valid gzip data"),
        (COMPRESSED[:-4] + bytes(4), "the body is not valid gzip data"),
        (COMPRESSED[:60] + bytes(20) + COMPRESSED[80:], "the body is not valid gzip data"),
        (COMPRESSED + b"1,2,3\n", "the body is not valid gzip data"),
        (zlib.compress(TEXT), "the body is not valid gzip data"),
        (TEXT, "the body is not valid gzip data"),
    ],
)
def test_damaged_gzip_is_400(server: Server, body: bytes, message: str) -> None:
    """3.13: a truncated, damaged or invalid gzip body is a 400 and never scored in part."""
    response = server.post(body, Content_Encoding="gzip")

    assert response.status_code == 400
    assert error_of(response) == f"Content-Encoding: gzip: {message}"


def test_limit_applies_to_the_uncompressed_payload(server: Server) -> None:
    """3.19: an uncompressed payload one byte beyond the limit is a 413 with both numbers."""
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
        f"expected at most 1,000,000 bytes, got more after decompressing {len(longer):,} bytes"
        in error_of(bad)
    )


def test_gzip_bomb_is_rejected(models: Path) -> None:
    """A body that would decompress to 2 GB is a 413, and the server's memory does not grow."""
    piece = gzip.compress(bytes(1 << 26))
    with running(
        save_artifact(BOOSTER, models / "gzip-bomb"), SAGEMAKER_MODEL_SERVER_WORKERS="1"
    ) as server:
        server.post(TEXT)
        before = peak_memory_bytes(server)
        response = server.post(piece * 32, Content_Encoding="gzip")
        after = peak_memory_bytes(server)

    assert response.status_code == 413
    assert after - before < 300 << 20  # the limit is 100 MiB


def peak_memory_bytes(server: Server) -> int:
    """Return the largest peak memory of the server's processes."""
    assert server.process
    master = server.process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    status = "".join(Path(f"/proc/{pid}/status").read_text() for pid in [str(master), *children])
    return max(
        int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM")
    )


def test_incompressible_bodies(server: Server) -> None:
    """A large body that barely compresses is decoded completely."""
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
