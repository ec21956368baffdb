"""Every format yields XGBoost's own predictions, bit for bit, for any numbers."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xgboost
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from serve.codecs import CODECS
from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.payloads import libsvm, npy
from tests.support.protobuf import dense, sparse
from tests.support.responses import scores
from tests.support.server import Server, running

WIDTH = 30
NAMES = [f"f{number}" for number in range(WIDTH)]
BOOSTER = train(random_features(300, WIDTH, seed=1), names=NAMES, rounds=20)
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@pytest.fixture(scope="module")
def server(models: Path) -> Iterator[Server]:
    with running(save_artifact(BOOSTER, models / "properties")) as running_server:
        yield running_server


def text(value: np.float32) -> str:
    return "" if np.isnan(value) else repr(float(value))


def to_csv(matrix: NDArray[np.float32], order: list[int] | None = None) -> str:
    """Return CSV, with a header if the column order is not the model's."""
    file = io.StringIO()
    writer = csv.writer(file)
    if order:
        writer.writerow([NAMES[column] for column in order])
    writer.writerows([text(row[column]) for column in order or range(len(row))] for row in matrix)
    return file.getvalue()


def to_lists(matrix: NDArray[np.float32]) -> list[list[float | None]]:
    return [[None if np.isnan(value) else float(value) for value in row] for row in matrix]


def to_objects(matrix: NDArray[np.float32], order: list[int]) -> list[dict[str, float | None]]:
    return [{NAMES[column]: row[column] for column in order} for row in to_lists(matrix)]


def encode_all(matrix: NDArray[np.float32], order: list[int]) -> dict[str, tuple[str | bytes, str]]:
    """Return the matrix in every format, with its media type."""
    return {**encode_cells(matrix, order), **encode_numbers(matrix)}


def encode_cells(matrix: NDArray[np.float32], order: list[int]) -> dict[str, tuple[str, str]]:
    """Return the matrix in every format whose cells may be other than numbers."""
    lists, objects = to_lists(matrix), to_objects(matrix, order)
    reordered = [[row[column] for column in order] for row in lists]
    return {
        "CSV": (to_csv(matrix), "text/csv"),
        "CSV with a header in another order": (to_csv(matrix, order), "text/csv"),
        "lists": (json.dumps({"instances": lists}), "application/json"),
        "bare lists": (json.dumps(lists), "application/json"),
        "lists as features": (
            json.dumps({"instances": [{"features": row} for row in lists]}),
            "application/json",
        ),
        "objects": (json.dumps({"instances": objects}), "application/json"),
        "lists with names": (
            json.dumps(
                {"instances": reordered, "feature_names": [NAMES[column] for column in order]}
            ),
            "application/json",
        ),
        "lines of lists": ("\n".join(map(json.dumps, lists)), "application/jsonlines"),
        "lines of objects": ("\n".join(map(json.dumps, objects)), "application/jsonlines"),
        "lines called JSON": ("\n".join(map(json.dumps, objects)) + "\n", "application/json"),
    }


def encode_numbers(matrix: NDArray[np.float32]) -> dict[str, tuple[str | bytes, str]]:
    """Return the matrix in every numeric format."""
    recordio, npy_type, columns = (
        "application/x-recordio-protobuf",
        "application/x-npy",
        np.asfortranarray(matrix),
    )
    return {
        "CSV with tabs": (to_csv(matrix).replace(",", "\t"), "text/csv; delimiter=tab"),
        "libsvm": (libsvm(matrix), "text/libsvm"),
        "libsvm with queries": (libsvm(matrix).replace(" 0:", " qid:1 0:"), "text/x-libsvm"),
        "dense records": (dense(matrix), recordio),
        "dense records of doubles": (dense(matrix, "float64"), recordio),
        "sparse records": (sparse(matrix), recordio),
        "sparse records of doubles": (sparse(matrix, "float64", shape=False), recordio),
        "array": (npy(matrix), npy_type),
        "array of doubles in columns": (npy(columns.astype(">f8")), npy_type),
    }


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    matrix=hnp.arrays(
        np.float32,
        st.tuples(st.integers(2, 6), st.just(WIDTH)),
        elements=st.one_of(FINITE, st.just(np.nan)),
    ),
    order=st.permutations(range(WIDTH)),
)
def test_any_finite_matrix_in_any_format(
    server: Server, matrix: NDArray[np.float32], order: list[int]
) -> None:
    """Finite float32 and missing values get XGBoost's own predictions in every format."""
    expected = predict_with_xgboost(BOOSTER, matrix)

    for form, (body, media_type) in encode_all(matrix, order).items():
        np.testing.assert_array_equal(scores(server.post(body, media_type)), expected, err_msg=form)


@pytest.mark.parametrize("accept", list(CODECS))
def test_a_thousand_rows_in_any_format(server: Server, accept: str) -> None:
    """The predictions of 1,000 rows are exact in every request and response format."""
    matrix = random_features(1000, WIDTH, seed=2)
    order = np.random.default_rng(3).permutation(WIDTH).tolist()

    for form, (body, media_type) in encode_all(matrix, order).items():
        np.testing.assert_array_equal(
            scores(server.post(body, media_type, Accept=accept)),
            predict_with_xgboost(BOOSTER, matrix),
            form,
        )


def test_payload_of_many_slices(server: Server) -> None:
    """Rows keep their order in payloads that are decoded in slices."""
    matrix = np.tile(random_features(1000, WIDTH, seed=4), (6, 1))
    order = list(reversed(range(WIDTH)))

    for form, (body, media_type) in encode_all(matrix, order).items():
        assert len(body) > 600_000
        np.testing.assert_array_equal(
            scores(server.post(body, media_type)),
            predict_with_xgboost(BOOSTER, matrix),
            err_msg=form,
        )


def test_error_in_a_later_slice(server: Server) -> None:
    """An error counts its row over the whole payload."""
    matrix = np.tile(random_features(1000, WIDTH, seed=4), (6, 1))
    matrix[5_122, 7] = np.float32(424_242.0)
    cells = encode_cells(matrix, list(range(WIDTH)))
    faulty = {
        form: (body.replace("424242.0", "true"), media_type)
        for form, (body, media_type) in cells.items()
    }
    matrix[5_122, 7] = np.inf

    for form, (body, media_type) in {**faulty, **encode_numbers(matrix)}.items():
        response = server.post(body, media_type)

        assert response.status_code == 400, form
        assert 'row 5123, column \\"f7\\"' in response.text, form


@pytest.mark.parametrize("accept", [name for name, codec in CODECS.items() if codec.CONCATENATES])
@pytest.mark.parametrize("objective", ["reg:squarederror", "multi:softprob"])
def test_responses_in_line_formats_concatenate(models: Path, objective: str, accept: str) -> None:
    """5.6: the responses to the parts of a payload, concatenated, are the response to the whole."""
    target = np.random.default_rng(5).integers(0, 3, 300)
    classes = {"num_class": 3} if objective == "multi:softprob" else {}
    booster = train(random_features(300, WIDTH, seed=6), target, objective=objective, **classes)
    matrix = random_features(50, WIDTH, seed=7)
    with running(save_artifact(booster, models / objective.replace(":", "-"))) as server:
        whole = server.post(to_csv(matrix), Accept=accept)
        parts = [server.post(to_csv(part), Accept=accept) for part in np.array_split(matrix, 7)]

    assert whole.content == b"".join(part.content for part in parts)
    np.testing.assert_array_equal(scores(whole), predict_with_xgboost(booster, matrix))


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    values=st.lists(
        st.floats(allow_nan=False, allow_infinity=False), min_size=WIDTH, max_size=WIDTH
    ),
    data=st.data(),
)
def test_a_numbers_text_means_float32_of_float64(
    server: Server, values: list[float], data: st.DataObject
) -> None:
    """A number's text has the same meaning in every decoder, on its fast and slow path."""
    texts = [
        data.draw(st.sampled_from([repr(value), f"{value:.20e}", f"{value:+.17g}", f" {value!r} "]))
        for value in values
    ]
    beyond = [abs(value) >= 2**128 - 2**103 for value in values]
    pairs = " ".join(f"{index}:{number.strip()}" for index, number in enumerate(texts))
    responses = [
        server.post(",".join(texts)),
        server.post(",".join([f'"{texts[0]}"', *texts[1:]])),
        server.post(pairs, "text/libsvm; label=absent"),
        server.post(f"1 qid:1 {pairs}", "text/libsvm"),
        server.post(npy([values]), "application/x-npy"),
        server.post(dense(np.array([values]), "float64"), "application/x-recordio-protobuf"),
    ]

    for response in responses:
        if any(beyond):
            assert response.status_code == 400
            assert f'column \\"f{beyond.index(True)}\\"' in response.text
        else:
            expected = predict_with_xgboost(
                BOOSTER, np.array([values], dtype=np.float64).astype(np.float32)
            )
            np.testing.assert_array_equal(scores(response), expected)


def test_expected_predictions_differ_from_row_to_row() -> None:
    """The expected predictions come from Booster.predict, and few of them are equal."""
    matrix = random_features(100, WIDTH, seed=2)

    assert isinstance(BOOSTER, xgboost.Booster)
    assert len(np.unique(predict_with_xgboost(BOOSTER, matrix))) > 50
