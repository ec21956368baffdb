"""application/x-npy: arrays of numbers in the format of numpy.save; all else is rejected."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.payloads import npy
from tests.support.responses import error_of, scores
from tests.support.server import Server, running

NPY = "application/x-npy"
WIDTH = 3
BOOSTER = train(random_features(300, WIDTH, seed=1), names=["a", "b", "c"])
CLASSES = train(
    random_features(300, WIDTH, seed=1), np.arange(300) % 3, objective="multi:softprob", num_class=3
)


@pytest.fixture(scope="module")
def server(models: Path) -> Iterator[Server]:
    with running(save_artifact(BOOSTER, models / "npy")) as running_server:
        yield running_server


@pytest.fixture(scope="module")
def classes(models: Path) -> Iterator[Server]:
    with running(save_artifact(CLASSES, models / "npy-classes")) as running_server:
        yield running_server


def with_header(header: str, numbers_bytes: bytes = b"", version: int = 1) -> bytes:
    """Return a file with this header."""
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header.encode() + numbers_bytes


ROWS = np.array([[0, 1, 2], [3, 100, 1], [1, 0, 0], [7, 8, 9]])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize(
    "dtype",
    [
        "<f2",
        ">f2",
        "<f4",
        ">f4",
        "<f8",
        ">f8",
        "i1",
        "u1",
        "<i2",
        ">i4",
        "<i8",
        ">u8",
        "<u4",
        "bool",
    ],
)
def test_types_orders_and_format_versions(
    server: Server, dtype: str, version: tuple[int, int], order: Any
) -> None:
    """All numeric types, byte orders, memory orders and versions of the format are accepted."""
    array = np.array(ROWS, dtype=dtype, order=order)

    response = server.post(npy(array, version), NPY)

    np.testing.assert_array_equal(
        scores(response), predict_with_xgboost(BOOSTER, array.astype(np.float32))
    )


def test_missing_values_and_half_precision(server: Server) -> None:
    """NaN is a missing value, float16 is exact, and float64 is rounded to float32."""
    array = np.array([[np.nan, 0.1, -1e-50], [2.5, np.nan, 1 / 3]])
    for dtype in (np.float16, np.float32, np.float64):
        response = server.post(npy(array.astype(dtype)), NPY)

        np.testing.assert_array_equal(
            scores(response), predict_with_xgboost(BOOSTER, array.astype(dtype).astype(np.float32))
        )


@pytest.mark.parametrize("dtype", ["<i8", ">i8", "<u8"])
def test_large_integers_are_rounded_once(models: Path, dtype: str) -> None:
    """An integer beyond 2^53 becomes the closest float32, as in XGBoost."""
    integers = np.array([[(1 << 60) + (1 << 36) + 1], [1 << 60], [(1 << 53) + 1]], dtype)
    booster = train(integers.astype(np.float32), np.arange(3), min_child_weight=0)
    expected = booster.predict(xgboost.DMatrix(integers.astype(integers.dtype.newbyteorder("="))))
    with running(save_artifact(booster, models / f"npy-large{dtype[1:]}")) as server:
        response = server.post(npy(integers), NPY)
        flat = server.post(npy(integers.ravel()), NPY)

    assert len(set(expected.tolist())) == 3
    np.testing.assert_array_equal(scores(response), expected)
    assert error_of(flat).startswith("row 1: expected 1 column, got 3")


def test_an_array_of_one_dimension_is_one_row(server: Server) -> None:
    """One dimension of the model's width is one row; another length is a 400 with a hint."""
    np.testing.assert_array_equal(
        scores(server.post(npy([1, 2, 3]), NPY)),
        predict_with_xgboost(BOOSTER, np.array([[1, 2, 3]], np.float32)),
    )
    assert "row 1: expected 3 columns, got 6" in error_of(server.post(npy(np.ones(6)), NPY))
    assert "send several rows with shape (rows, columns)" in error_of(
        server.post(npy(np.ones(6)), NPY)
    )


def test_empty_array(server: Server) -> None:
    """An array without rows has no predictions."""
    assert len(scores(server.post(npy(np.empty((0, WIDTH))), NPY))) == 0


@pytest.mark.parametrize("sent", ["text/csv", NPY])
def test_responses(server: Server, classes: Server, sent: str) -> None:
    """The response is float32, (n,) or (n, k), and empty for no records."""
    body = {"text/csv": b"0,1,2\n3,100,1\n1,0,0\n7,8,9\n", NPY: npy(ROWS)}[sent]
    scalar = server.post(body, sent, Accept=NPY)
    vector = classes.post(body, sent, Accept=NPY)
    empty = server.post(b"[]", "application/json", Accept=NPY)

    assert scalar.headers["Content-Type"] == NPY
    np.testing.assert_array_equal(
        scores(scalar), predict_with_xgboost(BOOSTER, ROWS.astype(np.float32))
    )
    np.testing.assert_array_equal(
        scores(vector), predict_with_xgboost(CLASSES, ROWS.astype(np.float32))
    )
    assert scores(vector).shape == (4, 3)
    assert scores(empty).shape == (0,)


ITEMS = "'descr': '<f8', 'fortran_order': False"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            npy(np.array([[1, None, 3]])),
            'expected an array of numbers or booleans, got data type "|O"; convert it with',
        ),
        (npy(np.array(["a", "b", "c"])), 'got data type "<U1"'),
        (npy(np.ones((1, 3), complex)), 'got data type "<c16"'),
        (npy(np.array(["2020-01-01"] * 3, "M8[D]")), 'got data type "<M8[D]"'),
        (npy(np.ones(1, [("a", "f4"), ("b", "f4"), ("c", "f4")])), "got data type \"[('a', '<f4')"),
        (npy(np.ones(())), "expected shape (rows, columns), or (columns,) for one row, got ()"),
        (npy(np.ones((1, 1, 3))), "for one row, got (1, 1, 3)"),
        (npy(np.ones((2, 4))), 'row 1: expected 3 columns, got 4; the columns are "a", "b", "c"'),
        (npy(np.ones((0, 4))), "row 1: expected 3 columns, got 4"),
        (npy(np.ones((1, 3))).replace(b"  \n", b"\xa0 \n"), "invalid array header"),
        (npy(np.ones((1, 3))).replace(b": (1,", b":\x0b(1,"), "invalid array header"),
        (
            npy([[1, 2, 3], [1, np.inf, 3]]),
            'row 2, column "b": expected a number within float32 range, got Infinity',
        ),
        (
            npy([[1, 2, 1e300]]),
            'row 1, column "c": expected a number within float32 range, got 1e+300',
        ),
        (
            npy(np.ones((2, 3)))[:-1],
            "expected 48 bytes after the header for its shape and data type, got 47",
        ),
        (
            npy(np.ones((2, 3))) + b"\0",
            "expected 48 bytes after the header for its shape and data type, got 49",
        ),
        (
            with_header(f"{{{ITEMS}, 'shape': (1000000000000, 3), }}\n"),
            "expected 24,000,000,000,000 bytes after the header",
        ),
        (
            with_header(f"{{{ITEMS}, 'shape': (1000000000000, 0), }}\n"),
            "row 1: expected 3 columns, got 0",
        ),
        (with_header(f"{{{ITEMS}, 'shape': ({'9' * 900}, 3), }}\n"), "invalid array shape"),
        (with_header(f"{{{ITEMS}, 'shape': (-1, 3), }}\n"), "invalid array header"),
        (with_header(f"{{{ITEMS}}}\n"), "invalid array header"),
        (with_header(f"{{{ITEMS}, 'shape': (1, 3), }}"), "invalid array header"),
        (with_header(f"{{{ITEMS}, 'shape': (1, 3)}}\n"), "expected one that numpy.save writes"),
        (with_header(f"{{{ITEMS}, 'shape': (3), }}\n"), "invalid array header"),
        (with_header(f"{{{ITEMS}, 'shape': (01, 3), }}\n"), "invalid array header"),
        (with_header(f"{{{ITEMS}, 'shape': (1,3), }}\n"), "invalid array header"),
        (with_header(f"{{{ITEMS}, 'shape': (1, 3, ), }}\n"), "invalid array header"),
        (with_header(f"{{{ITEMS}, 'shape': (\u0661, 3), }}\n"), "invalid array header"),
        (with_header(f"{{ {ITEMS}, 'shape': (1, 3), }}\n"), "invalid array header"),
        (with_header(f"{{'shape': (1, 3), {ITEMS}, }}\n"), "invalid array header"),
        (with_header(f"{{\"descr': '<f8', {ITEMS[16:]}, 'shape': (1, 3), }}\n"), "invalid array"),
        (with_header(f"{{{ITEMS}, 'shape': (1, 3), }}\n".replace("<f8", "=f8")), 'type "=f8"'),
        (with_header(f"{{{ITEMS}, 'shape': (1, 3), }}\n".replace("<f8", "<i1")), 'type "<i1"'),
        (with_header("__import__('os').getcwd()\n"), "invalid array header"),
        (with_header("[" * 1000), "invalid array header"),
        (with_header(" " * 60_000), "the header of the array is truncated or too long"),
        (
            with_header(f"{{{ITEMS}, 'shape': (1, 3), }}\n", version=4),
            "expected an array in the format of numpy.save",
        ),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", "the header of the array is truncated or too long"),
        (b"\x93NUMPY\x01\x00\xff", "expected an array in the format of numpy.save"),
        (b"\x93NUM", "expected an array in the format of numpy.save"),
        (b"PK\x03\x04", "expected one array in the format of numpy.save, got an archive"),
        (b"1,2,3", "expected an array in the format of numpy.save"),
    ],
)
def test_invalid_arrays(server: Server, body: bytes, message: str) -> None:
    """3.14: pickled objects, other shapes and wrong sizes are a 400, without an allocation."""
    response = server.post(body, NPY)

    assert response.status_code == 400
    assert message in error_of(response)


def test_category_codes(models: Path) -> None:
    """Numeric formats contain category codes; an unknown code is a 400, or missing if so set."""
    labels = ["low", "high"]
    booster = train(
        np.column_stack([np.arange(200) % 2, random_features(200, 1).ravel()]).astype(np.float32),
        types=["c", "q"],
    )
    folder = save_artifact(booster, models / "npy-codes")
    (folder / "schema.json").write_text(
        '{"features": [{"name": "size", "categories": ["low", "high"], "missing": false},'
        ' {"name": "x"}]}'
    )
    coded = np.array([[1, 0.5], [0, 0.25]], np.float32)
    with running(folder) as server:
        good = server.post(npy(coded), NPY)
        text = server.post("".join(f"{labels[int(code)]},{number}\n" for code, number in coded))
        sparse = server.post("0 0:1 1:0.5\n0 0:0 1:0.25\n", "text/libsvm")
        unknown = [server.post(npy([[0, 1], [code, 1]]), NPY) for code in (2, -1, 0.5, 1e300)]
        missing = server.post(npy([[0, 1], [np.nan, 1]]), NPY)
    (folder / "schema.json").write_text('{"features": [{"categories": ["low", "high"]}, {}]}')
    with running(folder, SERVE_UNKNOWN_CATEGORY="missing") as server:
        tolerated = server.post(npy([[2, 1], [np.nan, 1]]), NPY)

    for response in (good, text, sparse):
        np.testing.assert_array_equal(scores(response), predict_with_xgboost(booster, coded))
    assert (
        error_of(unknown[0])
        == 'row 2, column "size": unknown category 2.0: expected an integer code from 0 to 1'
    )
    assert {response.status_code for response in [*unknown, missing]} == {400}
    assert error_of(missing) == (
        'row 2, column "size": expected a value, got none; this column must not have missing values'
    )
    assert len(set(scores(tolerated).tolist())) == 1


def test_array_of_many_slices(server: Server) -> None:
    """Rows keep their order, and an error counts its row over the whole array."""
    array: NDArray[np.float32] = np.tile(random_features(1000, WIDTH, seed=4), (25, 1))

    np.testing.assert_array_equal(
        scores(server.post(npy(np.asfortranarray(array)), NPY)),
        predict_with_xgboost(BOOSTER, array),
    )
    array[20_002, 1] = np.inf
    assert error_of(server.post(npy(array), NPY)).startswith('row 20003, column "b"')
