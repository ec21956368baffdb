"""The schema: labels, codes, booleans and required values."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.boosters import predict_with_xgboost, save_artifact, train
from tests.support.payloads import libsvm, npy
from tests.support.responses import error_of, scores
from tests.support.server import Server, running

SIZES = ["small", "medium size", "1", "nan-like, quoted"]
ROWS = 400
RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "size": pd.Categorical(RANDOM.choice(SIZES, ROWS), categories=SIZES),
        "year": pd.Categorical(
            RANDOM.choice([2024, 2025, 2026], ROWS), categories=[2024, 2025, 2026]
        ),
        "sold": RANDOM.random(ROWS) > 0.5,
        "weight": RANDOM.random(ROWS),
    }
)
LABELED = train(FRAME, rounds=30, max_cat_to_onehot=1)
CODES = np.column_stack([RANDOM.integers(0, 4, ROWS), RANDOM.random(ROWS)]).astype(np.float32)
CODED = train(
    CODES, CODES[:, 0] * 7 % 4 + CODES[:, 1], rounds=30, types=["c", "q"], names=["kind", "weight"]
)


@pytest.fixture(scope="module")
def labeled(models: Path) -> Iterator[Server]:
    with running(save_artifact(LABELED, models / "labelled")) as server:
        yield server


@pytest.fixture(scope="module")
def coded(models: Path) -> Iterator[Server]:
    with running(save_artifact(CODED, models / "coded")) as server:
        yield server


def frame(**columns: list[Any]) -> pd.DataFrame:
    """Return rows with the training data's types; unknown categories are missing."""
    rows = pd.DataFrame({name: columns[name] for name in FRAME.columns})
    for name in ("size", "year"):
        rows[name] = pd.Categorical(rows[name], categories=FRAME[name].cat.categories)
    return rows.astype({"sold": bool, "weight": float})


ALL = frame(
    size=SIZES,
    year=[2024, 2025, 2026, 2024],
    sold=[True, False, True, False],
    weight=[0.1, 0.2, 0.3, 0.4],
)


def test_labels_stored_in_the_model(labeled: Server) -> None:
    """Without schema.json, the booster's names, types and categories are used in every format."""
    expected = predict_with_xgboost(LABELED, ALL)
    objects = json.loads(str(ALL.astype({"size": str}).to_json(orient="records")))

    assert len(np.unique(expected)) == 4
    np.testing.assert_array_equal(scores(labeled.post(ALL.to_csv(index=False))), expected)
    np.testing.assert_array_equal(
        scores(labeled.post(ALL.to_csv(index=False, header=False))), expected
    )
    np.testing.assert_array_equal(
        scores(labeled.post(json.dumps(objects), "application/json")), expected
    )
    np.testing.assert_array_equal(
        scores(labeled.post("\n".join(map(json.dumps, objects)), "application/jsonlines")),
        expected,
    )


def test_base_margin_is_not_supported(labeled: Server) -> None:
    """A column of base_margin, which would change the predictions, is an error."""
    for body, media_type in (
        (ALL.assign(base_margin=1).to_csv(index=False), "text/csv; header=present"),
        (
            '{"size": "1", "year": 2025, "sold": true, "weight": 1, "base_margin": 1}',
            "application/json",
        ),
    ):
        message = error_of(labeled.post(body, media_type))

        assert "base_margin is not supported: add it to the margin in the response" in message


def test_numbers_as_labels_are_matched_as_text(labeled: Server) -> None:
    """A number in a column of labels is the label with its text, never a code."""
    expected = predict_with_xgboost(
        LABELED, frame(size=["1"], year=[2025], sold=[True], weight=[0.5])
    )

    for body, media_type in (
        ("1,2025,1,0.5", "text/csv"),
        (" 1 , 2025 ,TRUE,0.5", "text/csv"),
        ('[1, "2025", true, 0.5]', "application/json"),
        ('["1", 2025, 1, 0.5]', "application/json"),
        ("[[1, 2025, 1, 0.5]]", "application/json"),
        (
            (
                '{"instances": [[0.5, 1, 2025, 1]],'
                ' "feature_names": ["weight", "sold", "year", "size"]}'
            ),
            "application/json",
        ),
        ("[1, 2025, 1, 0.5]", "application/jsonlines"),
    ):
        np.testing.assert_array_equal(scores(labeled.post(body, media_type)), expected)


@pytest.mark.parametrize(
    "row", ["[0, 2025, 1, 0.5]", "[1, 1, 1, 0.5]", "[1, -7.5, 1, 0.5]", "[1, 99, 1, 0.5]"]
)
def test_codes_are_rejected_in_columns_of_labels(labeled: Server, row: str) -> None:
    """A number that is not the text of a label is a 400, also if all cells are numbers."""
    for body in (
        row,
        f"[{row}]",
        f"[{row}, {row}]",
        f'{{"instances": [{row}]}}',
        f"[[1, 2025, 1, 0.5],\n {row}]",
    ):
        response = labeled.post(body, "application/json")

        assert response.status_code == 400
        assert "unknown category" in error_of(response)


def test_lists_and_objects_are_not_labels(models: Path) -> None:
    """A list or an object in JSON is an error, even if a label looks like its text."""
    labels = ["{}", "[1]", "true", "2"]
    folder = save_artifact(CODED, models / "json-labels")
    features = [{"name": "kind", "categories": labels}, {"name": "weight"}]
    (folder / "schema.json").write_text(json.dumps({"features": features}))
    with running(folder) as server:
        for code, cell in enumerate(["{}", "[1]", "true", "2"]):
            expected = predict_with_xgboost(CODED, np.array([[code, 1]], dtype=np.float32))
            response = server.post(f"[[{cell}, 1]]", "application/json")
            as_string = server.post(json.dumps([[cell, 1]]), "application/json")

            np.testing.assert_array_equal(scores(as_string), expected)
            if code < 2:
                assert error_of(response).startswith('row 1, column "kind": unknown category')
            else:
                np.testing.assert_array_equal(scores(response), expected)


def test_labels_keep_their_spaces(models: Path) -> None:
    """Labels include their spaces, also in the last line; null and NaN in JSON are not labels."""
    labels = ["x", "x ", " ", "null", "NaN"]
    folder = save_artifact(CODED, models / "spaces")
    features = [{"name": "weight"}, {"name": "kind", "type": "c", "categories": labels}]
    codes = np.column_stack([RANDOM.random(ROWS), RANDOM.integers(0, 5, ROWS)]).astype(np.float32)
    booster = train(
        codes,
        codes[:, 1] ** 2,
        rounds=30,
        types=["q", "c"],
        names=["weight", "kind"],
        max_cat_to_onehot=1,
    )
    save_artifact(booster, folder)
    (folder / "schema.json").write_text(json.dumps({"features": features}))
    with running(folder) as server:
        for code, label in enumerate(labels):
            expected = predict_with_xgboost(booster, np.array([[1, code]] * 2, dtype=np.float32))
            np.testing.assert_array_equal(scores(server.post(f"1,{label}\n1,{label}\n")), expected)
        missing = predict_with_xgboost(booster, np.array([[1, np.nan]] * 2, dtype=np.float32))
        np.testing.assert_array_equal(
            scores(server.post("[[1, null], [1, NaN]]", "application/json")), missing
        )


def test_header_if_unknown_categories_are_missing(models: Path) -> None:
    """A header is recognized even if, with missing unknown labels, any line could be a record."""
    rows = pd.DataFrame(
        {name: pd.Categorical(RANDOM.choice(["u", "v"], ROWS)) for name in ("p", "k")}
    )
    booster = train(rows)
    with running(
        save_artifact(booster, models / "labels-only"), SERVE_UNKNOWN_CATEGORY="missing"
    ) as server:
        response = server.post(
            "k,p\n" + "".join(f"{k},{p}\n" for p, k in rows.itertuples(index=False))
        )

    np.testing.assert_array_equal(scores(response), predict_with_xgboost(booster, rows))


def test_missing_labels(labeled: Server) -> None:
    """An empty cell, NaN and null are missing labels."""
    expected = predict_with_xgboost(
        LABELED, frame(size=[None], year=[2025], sold=[True], weight=[0.5])
    )

    for body, media_type in (
        (",2025,1,0.5", "text/csv"),
        ("NaN,2025,1,0.5", "text/csv"),
        ("[null, 2025, 1, 0.5]", "application/json"),
    ):
        np.testing.assert_array_equal(scores(labeled.post(body, media_type)), expected)


@pytest.mark.parametrize(
    ("body", "media_type", "message"),
    [
        (
            "huge,2025,1,0.5",
            "text/csv",
            '"size": unknown category "huge": expected "small", "medium size", "1", "nan-like',
        ),
        ("Small,2025,1,0.5", "text/csv", 'column "size": unknown category "Small"'),
        ("0,2025,1,0.5", "text/csv", 'column "size": unknown category "0"'),
        ("1.0,2025,1,0.5", "text/csv", 'column "size": unknown category "1.0"'),
        (
            "1,2,1,0.5",
            "text/csv",
            'column "year": unknown category "2": expected "2024", "2025", "2026"',
        ),
        ('["", 2025, 1, 0.5]', "application/json", 'column "size": unknown category ""'),
        ("[2, 2025, 1, 0.5]", "application/json", 'column "size": unknown category 2'),
        ("[[[1], 2025, 1, 0.5]]", "application/json", 'column "size": unknown category [1]'),
        (
            '["1", 2025, "true", 0.5]',
            "application/json",
            'column "sold": expected a number, true or false, got the string "true"',
        ),
        ("1,2025,1,true", "text/csv", 'column "weight": expected a number, got "true"'),
        (
            '["1", 2025, 1, true]',
            "application/json",
            'column "weight": expected a number, got true',
        ),
        (
            "1,2025,yes,0.5",
            "text/csv",
            'column "sold": expected a number, true or false, got "yes"',
        ),
    ],
)
def test_unknown_categories_are_errors(
    labeled: Server, body: str, media_type: str, message: str
) -> None:
    """An unknown category, which XGBoost would score, is a 400 that lists the known ones."""
    response = labeled.post(body, media_type)

    assert response.status_code == 400
    assert message in error_of(response)


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_codes(coded: Server, code: int) -> None:
    """Without labels, categories are sent as codes."""
    expected = predict_with_xgboost(CODED, np.array([[code, 0.5]], dtype=np.float32))

    np.testing.assert_array_equal(scores(coded.post(f"{code},0.5")), expected)
    np.testing.assert_array_equal(scores(coded.post(f" {code}.0,+0.5")), expected)
    np.testing.assert_array_equal(
        scores(coded.post(f"[{code}, 0.5]", "application/json")), expected
    )
    np.testing.assert_array_equal(
        scores(coded.post(",0.5")),
        predict_with_xgboost(CODED, np.array([[np.nan, 0.5]], dtype=np.float32)),
    )


@pytest.mark.parametrize("code", ["4", "17", "1.5", "-1", "1e9"])
def test_unknown_codes_are_errors(coded: Server, code: str) -> None:
    """An unknown code, which XGBoost would score, is a 400 that names the range."""
    for body, media_type in (
        (f"1,0.5\n{code},0.5", "text/csv"),
        (f"[[1, 0.5], [{code}, 0.5]]", "application/json"),
    ):
        response = coded.post(body, media_type)

        assert response.status_code == 400
        assert 'row 2, column "kind": ' in error_of(response)
        assert ": expected an integer code from 0 to 3" in error_of(response)


def test_unknown_categories_may_be_missing(models: Path) -> None:
    """SERVE_UNKNOWN_CATEGORY=missing makes unknown categories, and only these, missing values."""
    with running(
        save_artifact(LABELED, models / "unknown"), SERVE_UNKNOWN_CATEGORY="missing"
    ) as server:
        expected = predict_with_xgboost(
            LABELED,
            frame(size=[None, "1"], year=[2025, None], sold=[True, True], weight=[0.5, 0.5]),
        )
        np.testing.assert_array_equal(
            scores(server.post("huge,2025,1,0.5\n1,1999,1,0.5")), expected
        )
        np.testing.assert_array_equal(
            scores(server.post('[[7, 2025, 1, 0.5], ["1", 0, 1, 0.5]]', "application/json")),
            expected,
        )
        for body, media_type, column in (
            ("1,2025,1,x", "text/csv", "weight"),
            ("NULL,2025,1,0.5", "text/csv", "size"),
            ("[true, 2025, 1, 0.5]", "application/json", "size"),
            ('["1", false, 1, 0.5]', "application/json", "year"),
            ('["1", [2025], 1, 0.5]', "application/json", "year"),
            ('["1", {"": 1}, 1, 0.5]', "application/json", "year"),
            ('["1", "", 1, 0.5]', "application/json", "year"),
            ('["1", " ", 1, 0.5]', "application/json", "year"),
            ('["1", "NaN", 1, 0.5]', "application/json", "year"),
            ('["1", Infinity, 1, 0.5]', "application/json", "year"),
        ):
            message = error_of(server.post(body, media_type))

            assert f'column "{column}": ' in message
    with running(
        save_artifact(CODED, models / "unknown-codes"), SERVE_UNKNOWN_CATEGORY="missing"
    ) as server:
        expected = predict_with_xgboost(
            CODED, np.array([[np.nan, 0.5]] * 3 + [[3, 0.5]], dtype=np.float32)
        )
        codes = np.array([[17, 0.5], [-1, 0.5], [1e9, 0.5], [3, 0.5]])
        unknown: list[tuple[str | bytes, str]] = [
            ("17,0.5\n-1,0.5\n1e9,0.5\n3,0.5", "text/csv"),
            (json.dumps(codes.tolist()), "application/json"),
            (libsvm(codes), "text/libsvm"),
            (npy(codes), "application/x-npy"),
        ]
        for payload, media_type in unknown:
            np.testing.assert_array_equal(scores(server.post(payload, media_type)), expected)
        invalid: list[tuple[str | bytes, str]] = [
            ("2.5,0.5", "text/csv"),
            ("[true, 0.5]", "application/json"),
            ('["1", 0.5]', "application/json"),
            ("0 0:2.5 1:0.5", "text/libsvm"),
            (npy(np.array([[2.5, 0.5]])), "application/x-npy"),
        ]
        for payload, media_type in invalid:
            assert 'row 1, column "kind": ' in error_of(server.post(payload, media_type))


def test_codes_are_not_unknown_categories(models: Path) -> None:
    """In a column of words, a code is an error even if unknown categories are missing."""
    words = ["low", "high", "B 2"]
    schema = {"features": [{"categories": [*words, "none of them"]}, {}]}
    folder = save_artifact(CODED, models / "words")
    (folder / "schema.json").write_text(json.dumps(schema))
    with running(folder, SERVE_UNKNOWN_CATEGORY="missing") as server:
        for body, media_type in (
            ("1,0.5", "text/csv"),
            (" 1.0,0.5", "text/csv"),
            ("[1, 0.5]", "application/json"),
            ("[7, 0.5]", "application/json"),
            ('["1", 0.5]', "application/json"),
        ):
            assert 'column "kind": unknown category ' in error_of(server.post(body, media_type))
        expected = predict_with_xgboost(CODED, np.array([[np.nan, 0.5]], dtype=np.float32))
        for body in ("17,0.5", "huge,0.5", "Low,0.5", "b2,0.5"):
            np.testing.assert_array_equal(scores(server.post(body)), expected)


def test_required_values(models: Path) -> None:
    """A missing value in a column with "missing": false in schema.json is a 400."""
    folder = save_artifact(CODED, models / "required")
    features = [
        {"name": "kind", "type": "c", "categories": ["a", "b", "c", "d"], "missing": False},
        {"name": "weight", "missing": False},
    ]
    (folder / "schema.json").write_text(json.dumps({"features": features}))
    with running(folder) as server:
        for body, media_type, column in (
            (",0.5", "text/csv", "kind"),
            ("a,", "text/csv", "weight"),
            ("a,nan", "text/csv", "weight"),
            ('["a", null]', "application/json", "weight"),
            ('["a", NaN]', "application/json", "weight"),
            ("[null, 1]", "application/json", "kind"),
        ):
            response = server.post(body, media_type)

            assert response.status_code == 400
            assert f'row 1, column "{column}": expected a value, got none' in error_of(response)
        np.testing.assert_array_equal(
            scores(server.post("d,0.5")),
            predict_with_xgboost(CODED, np.array([[3, 0.5]], dtype=np.float32)),
        )


def test_many_categories(models: Path) -> None:
    """Hundreds of categories in any script work, and messages list only some of them."""
    labels = [f"Größe {number} 目" for number in range(500)]
    codes = np.column_stack([np.arange(1000) % 500, np.arange(1000)]).astype(np.float32)
    booster = train(codes, codes[:, 0], rounds=20, names=["size", "weight"], types=["c", "q"])
    folder = save_artifact(booster, models / "many")
    (folder / "schema.json").write_text(
        json.dumps({"features": [{"name": "size", "categories": labels}, {"name": "weight"}]})
    )
    with running(folder) as server:
        rows = "".join(f"{labels[int(code)]},{weight}\n" for code, weight in codes)
        np.testing.assert_array_equal(
            scores(server.post(rows.encode())), predict_with_xgboost(booster, codes)
        )
        assert "more" in error_of(server.post("Größe,1".encode()))


def test_labels_truncated_by_xgboost_prevent_startup(models: Path) -> None:
    """XGBoost before 3.4 truncates labels that are not ASCII, so schema.json must list them."""
    rows = pd.DataFrame({"size": pd.Categorical(["éa", "zz"] * 50), "weight": np.arange(100.0)})
    categories = list(rows["size"].cat.categories)
    booster = train(rows, np.arange(100.0) % 2, rounds=5)
    folder = save_artifact(booster, models / "cut")
    model = (folder / "model.ubj").read_bytes()
    version = model.rindex(b"\x07version[#L")
    (folder / "model.ubj").write_bytes(
        model[:version] + model[version:].replace(b"i\x03i\x04i", b"i\x03i\x03i")
    )

    with (
        pytest.raises(RuntimeError, match=r"XGBoost before 3\.4 truncates non-ASCII labels"),
        running(folder),
    ):
        pass
    (folder / "schema.json").write_text(
        json.dumps({"features": [{"name": "size", "categories": categories}, {"name": "weight"}]})
    )
    codes = np.array([[categories.index("éa"), 1], [categories.index("zz"), 2]], dtype=np.float32)
    with running(folder) as server:
        np.testing.assert_array_equal(
            scores(server.post("éa,1\nzz,2".encode())), predict_with_xgboost(booster, codes)
        )
