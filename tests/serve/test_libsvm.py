"""text/libsvm: labels and pairs, a fixed index base, and one prediction per line."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.payloads import libsvm
from tests.support.responses import error_of, scores
from tests.support.server import Server, running, startup_error

LIBSVM = "text/libsvm"
NAN = float("nan")
WIDTH = 4
BOOSTER = train(random_features(300, WIDTH, seed=1), names=["a", "b", "c", "d"])


@pytest.fixture(scope="module")
def zero_based(models: Path) -> Iterator[Server]:
    with running(save_artifact(BOOSTER, models / "libsvm-zero")) as server:
        yield server


@pytest.fixture(scope="module")
def one_based(models: Path) -> Iterator[Server]:
    with running(save_artifact(BOOSTER, models / "libsvm-one"), SERVE_LIBSVM_BASE="1") as server:
        yield server


def matrix(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, dtype=np.float32)


def sparse_rows(rows: int, seed: int) -> NDArray[np.float32]:
    """Return multiples of 1/8, some missing: XGBoost's parser is inexact for other decimals."""
    random = np.random.default_rng(seed)
    features = (random.integers(-800, 800, (rows, WIDTH)) / 8).astype(np.float32)
    features[random.random(features.shape) < 0.4] = np.nan
    return features


def train_from_file(path: Path) -> tuple[xgboost.Booster, NDArray[np.float32]]:
    """Return a booster trained by XGBoost's libsvm reader, and its predictions for the file."""
    # XGBoost warns once that text input is deprecated.
    with warnings.catch_warnings(action="ignore"):
        loaded = xgboost.DMatrix(f"{path}?format=libsvm")
    booster = xgboost.train({"max_depth": 4, "nthread": 1, "verbosity": 0}, loaded, 20)
    return booster, booster.predict(loaded)


@pytest.mark.parametrize("base", [0, 1])
def test_training_file_is_predicted_as_by_xgboost(tmp_path: Path, base: int) -> None:
    """A training file of either base gets the predictions that XGBoost computes for it."""
    (tmp_path / "train.libsvm").write_text(libsvm(sparse_rows(300, seed=4), base))
    booster, expected = train_from_file(tmp_path / "train.libsvm")
    with running(save_artifact(booster, tmp_path / "model")) as server:
        response = server.post((tmp_path / "train.libsvm").read_bytes(), LIBSVM)
        single = [
            server.post(line, LIBSVM)
            for line in (tmp_path / "train.libsvm").read_text().splitlines()[:5]
        ]

    assert len(np.unique(expected)) > 50
    np.testing.assert_array_equal(scores(response), expected)
    np.testing.assert_array_equal(np.concatenate([scores(line) for line in single]), expected[:5])


def test_one_based_payloads(zero_based: Server, one_based: Server) -> None:
    """With base 1, index 1 is the first feature, in single lines and in several."""
    features = sparse_rows(50, seed=5)
    expected = predict_with_xgboost(BOOSTER, features)

    np.testing.assert_array_equal(scores(one_based.post(libsvm(features, 1), LIBSVM)), expected)
    np.testing.assert_array_equal(scores(zero_based.post(libsvm(features, 0), LIBSVM)), expected)
    for row, line in enumerate(libsvm(features, 1).splitlines()[:5]):
        np.testing.assert_array_equal(scores(one_based.post(line, LIBSVM)), expected[row : row + 1])


def test_the_base_never_depends_on_the_request(zero_based: Server) -> None:
    """A row has the same prediction alone and next to rows with other indices."""
    row, other = "1 1:0.2 2:0.3 3:0.4", "0 0:1 1:2"
    alone, beside = zero_based.post(row, LIBSVM), zero_based.post(f"{row}\n{other}\n", LIBSVM)

    assert (
        scores(alone)[0]
        == scores(beside)[0]
        == predict_with_xgboost(BOOSTER, matrix([NAN, 0.2, 0.3, 0.4]))[0]
    )


@pytest.mark.parametrize(
    "media_type", ["text/libsvm", "text/x-libsvm", "libsvm", "TEXT/LIBSVM; charset=utf-8"]
)
def test_media_type_names(zero_based: Server, media_type: str) -> None:
    """3.6: three names for libsvm are accepted, and the response is CSV."""
    response = zero_based.post("1 0:1 1:2\n", media_type)

    assert response.headers["Content-Type"] == "text/csv"
    np.testing.assert_array_equal(
        scores(response), predict_with_xgboost(BOOSTER, matrix([1, 2, NAN, NAN]))
    )


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ("1 0:1 1:2 2:3 3:4", [[1, 2, 3, 4]]),
        ("1 0:1 1:2 2:3 3:4\n", [[1, 2, 3, 4]]),
        ("0:1 1:2 2:3 3:4\n3:4 0:1\n", [[NAN, 2, 3, 4], [1, NAN, NAN, NAN]]),
        ("1:0.5\n-1:2e1 3:4\n+1.5:.5 0:1", [[NAN] * 4, [NAN, NAN, NAN, 4], [1, NAN, NAN, NAN]]),
        ("1:0.5 qid:3 3:4\n1\n0:0 0:5", [[NAN, NAN, NAN, 4], [NAN] * 4, [5, NAN, NAN, NAN]]),
        ("-1.5e0 3:4 0:1\r\n+1 2:3\r\n", [[1, NAN, NAN, 4], [NAN, NAN, 3, NAN]]),
        ("1 0:1\r0 1:2\r", [[1, NAN, NAN, NAN], [NAN, 2, NAN, NAN]]),
        ("\t1  0:1\t\t1:2  \n", [[1, 2, NAN, NAN]]),
        (
            "1 qid:7 0:1 # a comment 1:2\n# another\n  # and one\n0 1:2",
            [[1, NAN, NAN, NAN], [NAN, 2, NAN, NAN]],
        ),
        ("qid:7 0:1", [[1, NAN, NAN, NAN]]),
        ("1 0:+1 1:.5 2:1. 3:-1e-3", [[1, 0.5, 1, -0.001]]),
        ("nan 00:1 1:nan 2:NaN 3:0", [[1, NAN, NAN, 0]]),
        ("\ufeff1 0:1", [[1, NAN, NAN, NAN]]),
        ("1 3:0.1 2:16777217", [[NAN, NAN, 16777217, 0.1]]),
    ],
)
def test_accepted_spellings(zero_based: Server, body: str, rows: list[list[float]]) -> None:
    """Pairs have any order, and labels, weights, query IDs and comments are ignored."""
    np.testing.assert_array_equal(
        scores(zero_based.post(body.encode(), LIBSVM)), predict_with_xgboost(BOOSTER, matrix(*rows))
    )


@pytest.mark.parametrize(
    ("body", "has_value"),
    [
        ("1 0:1\n0\n", [True, False]),
        ("1 0:1\n0", [True, False]),
        ("1 0:1\n\n", [True, False]),
        ("1 0:1\n \n\n", [True, False, False]),
        ("1\n0\n1", [False, False, False]),
        ("1 0:1\n\n1 0:1\n", [True, False, True]),
        ("\n", [False]),
        ("\n\n1 0:1\n", [False, False, True]),
        ("1 0:1\r\n\r\n", [True, False]),
        ("1 0:1\n0 # none\n", [True, False]),
    ],
)
def test_rows_without_pairs_are_records(
    zero_based: Server, body: str, has_value: list[bool]
) -> None:
    """5.9: every line is a record, including blank lines, even at the end of the payload."""
    expected = predict_with_xgboost(
        BOOSTER, matrix(*[[1 if value else NAN, NAN, NAN, NAN] for value in has_value])
    )

    np.testing.assert_array_equal(scores(zero_based.post(body, LIBSVM)), expected)


def test_comments_are_not_records(zero_based: Server) -> None:
    """A body that contains only comments is a 400."""
    response = zero_based.post("# 1 0:1\n#\n", LIBSVM)

    assert response.status_code == 400
    assert error_of(response) == "expected at least one record, got only comments"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "1 0:1\n1 1:2 4:1",
            "row 2: expected an index from 0 to 3, got 4; this server counts indices from 0: set",
        ),
        ("1 0:1 5:1", "row 1: expected an index from 0 to 3, got 5"),
        ("1 999999999999:1", "row 1: expected an index from 0 to 3, got 999999999999"),
        (
            "1 99999999999999999999:1",
            'row 1: expected "label index:value index:value ...", got "9999',
        ),
        ("1 0:1\n\n0 1:1 1:2", "row 3: duplicate index 1"),
        ("1 1:1 0:2 01:2", "row 1: duplicate index 1"),
        ("1 -1:2", '"label index:value index:value ...", got "-1:2"'),
        (
            "1 0:1\nx 0:1",
            'row 2: expected "label index:value index:value ...", got "x"',
        ),
        ("1 2 0:1", '"label index:value index:value ...", got "2"'),
        ("e 0:1", '"label index:value index:value ...", got "e"'),
        ("--- 0:1", '"label index:value index:value ...", got "---"'),
        ("1-1 0:1", '"label index:value index:value ...", got "1-1"'),
        ("1,2,3,4", '"label index:value index:value ...", got "1,2,3,4"'),
        ("1 0:", 'expected index:value with a number as value, got "0:"'),
        ("1 0:x", 'expected index:value with a number as value, got "0:x"'),
        ("1 0:1:2", 'expected index:value with a number as value, got "0:1:2"'),
        ("1 0:1_0", 'expected index:value with a number as value, got "0:1_0"'),
        ("1 0:1e", 'expected index:value with a number as value, got "0:1e"'),
        ("1 :1", '"label index:value index:value ...", got ":1"'),
        ("1 qid:1 0", '"label index:value index:value ...", got "0"'),
        ("1 0:1 qid:1:2", '"label index:value index:value ...", got "qid:1:2"'),
        ("1 a:1", '"label index:value index:value ...", got "a:1"'),
        ("1 \u0661:1", '"label index:value index:value ...", got'),
        (
            "1 0:1\n0 1:inf",
            'row 2, column "b": expected a number within float32 range, got Infinity',
        ),
        (
            "1 0:1\n0 1:-1e300",
            'row 2, column "b": expected a number within float32 range, got -1e+300',
        ),
        (b"1 0:\xff", "expected index:value with a number as value, got "),
        (b"\xff\xfe1\x00", '"label index:value index:value ...", got'),
    ],
)
def test_invalid_lines(zero_based: Server, body: str | bytes, message: str) -> None:
    """3.14: an invalid line is a 400 with its row, and the expected and actual value."""
    response = zero_based.post(body.encode() if isinstance(body, str) else body, LIBSVM)

    assert response.status_code == 400
    assert message in error_of(response)


@pytest.mark.parametrize(
    "line",
    [
        "1:0.5 2:3 3:-1",
        "-1:0 1:2.5",
        "1:2",
        "1:0.25 qid:7 0:1 2:8",
        "1:+4\t3:1 0:2",
        "1e1:0.5 0:1",
        "2 0:1",
        "3 qid:1 1:1",
    ],
)
def test_first_words_are_read_as_by_xgboost(zero_based: Server, tmp_path: Path, line: str) -> None:
    """The first word is label or label:weight, as in XGBoost's own reader."""
    (tmp_path / "line.libsvm").write_text(line)
    with warnings.catch_warnings(action="ignore"):
        loaded = xgboost.DMatrix(f"{tmp_path / 'line.libsvm'}?format=libsvm")
    stored = loaded.get_data().toarray()
    row = np.full((1, WIDTH), NAN, np.float32)
    row[0, loaded.get_data().indices] = stored[0, loaded.get_data().indices]

    for media_type in (LIBSVM, "text/libsvm; label=present"):
        np.testing.assert_array_equal(
            scores(zero_based.post(line, media_type)), predict_with_xgboost(BOOSTER, row)
        )


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ("0:1 1:2 2:3 3:4\n3:4 0:1\n", [[1, 2, 3, 4], [1, NAN, NAN, 4]]),
        ("1:-0.5\n\n2:nan 0:.5", [[NAN, -0.5, NAN, NAN], [NAN] * 4, [0.5, NAN, NAN, NAN]]),
        ("qid:7 0:1 # comment", [[1, NAN, NAN, NAN]]),
    ],
)
def test_rows_declared_without_labels(
    zero_based: Server, body: str, rows: list[list[float]]
) -> None:
    """With label=absent, the first word of a line is a pair."""
    expected = predict_with_xgboost(BOOSTER, matrix(*rows))

    for media_type in ("text/libsvm; label=absent", 'libsvm;label = "ABSENT"; charset=utf-8'):
        np.testing.assert_array_equal(scores(zero_based.post(body, media_type)), expected)


@pytest.mark.parametrize(
    "word",
    ["0:-1", "1:nan", "1:", "1:x", "x:1", "nan:1", "inf:1", "1:inf", "1:1e999", "1:2:3", ":1"],
)
def test_implausible_weights_name_the_declaration(zero_based: Server, word: str) -> None:
    """A first word that cannot be label:weight is a 400 that names label=absent."""
    response = zero_based.post(f"1 0:1\n{word} 2:1", LIBSVM)

    assert response.status_code == 400
    assert error_of(response).startswith("row 2: expected a label, or label:weight with a weight")
    assert (
        f'got "{word}"; if the rows have no label, send Content-Type: text/libsvm; label=absent'
        in (error_of(response))
    )


def test_labels_where_none_are_declared(zero_based: Server) -> None:
    """With label=absent, a label is a 400; another value of label is a 415."""
    labeled = zero_based.post("0:1\n1 0:1", "text/libsvm; label=absent")
    unknown = zero_based.post("0:1", "text/libsvm; label=none")

    assert labeled.status_code == 400
    assert error_of(labeled) == (
        'row 2: expected "index:value index:value ..." because of label=absent, got "1"'
    )
    assert unknown.status_code == 415
    assert 'expected label=present or label=absent, got label="none"' in error_of(unknown)


def test_weights_and_the_other_base_are_logged_once(models: Path) -> None:
    """Undeclared weights, and an index that only the other base has, cause one warning each."""
    with running(save_artifact(BOOSTER, models / "libsvm-warnings")) as server:
        for content_type in ("text/libsvm; label=present", "text/libsvm; label=absent"):
            server.post("1:2 2:3", content_type)
        server.post("1 0:7\n1:-2 2:3", LIBSVM)
        server.post("1 5:1", LIBSVM)
        for _ in range(3):
            server.post("1 0:1\n1:2 2:3", LIBSVM)
            server.post("1 4:1", LIBSVM)
    events = [event["event"] for event in server.events()]
    warned = [event for event in server.events() if event["event"].startswith("libsvm")]

    assert events.index("request failed") < events.index("libsvm weights ignored")
    assert [(event["event"], event["level"]) for event in warned] == [
        ("libsvm weights ignored", "WARNING"),
        ("libsvm base probably wrong", "WARNING"),
    ]
    assert "text/libsvm; label=absent" in warned[0]["reason"]
    assert "set SERVE_LIBSVM_BASE=1" in warned[1]["reason"]
    assert '"libsvm_base": 1 in schema.json' in warned[1]["reason"]


def test_index_of_the_other_base_hints_at_the_setting(
    zero_based: Server, one_based: Server
) -> None:
    """An index that is valid only for the other base is a 400 that names the setting."""
    assert "set SERVE_LIBSVM_BASE=1" in error_of(zero_based.post("1 1:1 4:1", LIBSVM))
    assert "expected an index from 1 to 4, got 0" in error_of(one_based.post("1 0:1 1:1", LIBSVM))
    assert "set SERVE_LIBSVM_BASE=0" in error_of(one_based.post("1 0:1 1:1", LIBSVM))


def test_base_in_schema_json(tmp_path: Path) -> None:
    """schema.json sets the base of its model, and the log event at startup contains it."""
    folder = save_artifact(BOOSTER, tmp_path)
    (folder / "schema.json").write_text('{"features": [{}, {}, {}, {}], "libsvm_base": 1}')
    with running(folder) as server:
        response = server.post("1 1:5", LIBSVM)

    np.testing.assert_array_equal(
        scores(response), predict_with_xgboost(BOOSTER, matrix([5, NAN, NAN, NAN]))
    )
    assert next(event for event in server.events() if "libsvm_base" in event)["libsvm_base"] == 1


@pytest.mark.parametrize(
    ("schema_entry", "env", "message"),
    [
        (
            '"libsvm_base": 1',
            {"SERVE_LIBSVM_BASE": "0"},
            'has "libsvm_base": 1, but SERVE_LIBSVM_BASE is 0',
        ),
        (
            '"libsvm_base": 0',
            {"SERVE_LIBSVM_BASE": "1"},
            'has "libsvm_base": 0, but SERVE_LIBSVM_BASE is 1',
        ),
        ('"libsvm_base": 2', {}, '"libsvm_base": expected 0 or 1, got 2'),
        ('"libsvm_base": true', {}, '"libsvm_base": expected 0 or 1, got true'),
        ('"libsvm-base": 1', {}, 'did you mean "libsvm_base"?'),
        ('"x": 1', {"SERVE_LIBSVM_BASE": "2"}, "SERVE_LIBSVM_BASE="),
    ],
)
def test_conflicting_or_invalid_base_prevents_startup(
    tmp_path: Path, schema_entry: str, env: dict[str, str], message: str
) -> None:
    """Conflicting bases, an invalid base or a misspelled key prevents startup."""
    folder = save_artifact(BOOSTER, tmp_path)
    (folder / "schema.json").write_text(f'{{"features": [{{}}, {{}}, {{}}, {{}}], {schema_entry}}}')

    assert message in startup_error(folder, **env)


def test_wide_payload_of_many_slices(tmp_path: Path) -> None:
    """Rows of 50,000 columns are read a few at a time, in order and without loss."""
    features = np.full((120, 50_000), np.nan, dtype=np.float32)
    random = np.random.default_rng(9)
    features[:, ::5000] = random.integers(0, 50, (120, 10))
    booster = train(features, features[:, 0] + features[:, 5000])
    features[::7] = np.nan
    with running(save_artifact(booster, tmp_path)) as server:
        response = server.post(libsvm(features, 0), LIBSVM)

    np.testing.assert_array_equal(scores(response), predict_with_xgboost(booster, features))
