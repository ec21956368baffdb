"""A damaged model file is one line of error, before it can end the server or predict wrongly."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost

from tests.support.artifacts import JSON_MODEL, MODEL, OTHER_MODEL, SELF_TEST
from tests.support.boosters import random_features, save_artifact, train
from tests.support.check import check, run_check, write_files
from tests.support.diamonds import ARTIFACT
from tests.support.server import running, startup_error

Trees = Any  # gradient_booster.model of a JSON model
DEPTH = 1_000_000
LENGTH_ONE = (1).to_bytes(8, "big")
NESTED = {
    "arrays.ubj": MODEL[:17] + b"[" * DEPTH,
    "counted.ubj": MODEL[:17] + (b"[#L" + LENGTH_ONE) * DEPTH,
    "objects.ubj": MODEL[:17] + (b"{L" + LENGTH_ONE + b"a") * DEPTH,
    "arrays.json": b'{"learner":{"a":' + b"[" * DEPTH + b"]" * DEPTH + b"}}",
    "objects.json": b'{"learner":' + b'{"a":' * DEPTH + b"}" * (DEPTH + 1),
}


def checksum_of(content: bytes) -> bytes:
    return f"{hashlib.sha256(content).hexdigest()}  model.ubj\n".encode()


def flip(content: bytes, bit: int) -> bytes:
    damaged = bytearray(content)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def choose_bits(count: int, margin: int = 0) -> list[int]:
    """Return random bits of MODEL, except for some bytes at its start and its end."""
    bits = np.arange(8 * margin, 8 * (len(MODEL) - margin))
    return [int(bit) for bit in np.random.default_rng(19).choice(bits, count, replace=False)]


@pytest.mark.parametrize(
    "written",
    [
        checksum_of(MODEL),
        checksum_of(MODEL).upper(),
        checksum_of(MODEL)[:64],
        b"SHA256 (model.ubj) = " + checksum_of(MODEL)[:64] + b"\n",
    ],
)
def test_a_checksum_confirms_a_model(tmp_path: Path, written: bytes) -> None:
    """A model is served if model.ubj.sha256 holds its SHA-256, in the form of any program."""
    write_files(tmp_path, {"model.ubj": MODEL, "model.ubj.sha256": written})
    report = json.loads(check(tmp_path, "--json").output)

    assert report["ignored_files"] == {}


@pytest.mark.parametrize("name", ["xgboost-model", "nested/model.json", "other.ubj"])
def test_a_checksum_belongs_to_the_name_of_its_model(tmp_path: Path, name: str) -> None:
    """Each model file has a checksum of its own, whatever its name and folder are."""
    write_files(tmp_path, {name: MODEL, f"{name}.sha256": checksum_of(OTHER_MODEL)})

    assert f"{tmp_path}/{name}: expected the SHA-256 " in check(tmp_path).error


@pytest.mark.parametrize(
    ("seconds", "advice"),
    [
        (-60, "the file is damaged: copy it again; only if you replaced the model on purpose, "),
        (+60, "if you saved the model again, rewrite the checksum with: "),
    ],
)
def test_every_flipped_bit_contradicts_the_checksum(
    tmp_path: Path, seconds: int, advice: str
) -> None:
    """With a checksum, no damage is loaded; the advice depends on which file is newer."""
    write_files(tmp_path, {"model.ubj.sha256": checksum_of(MODEL)})
    written = (tmp_path / "model.ubj.sha256").stat().st_mtime
    for bit in choose_bits(20, margin=200):
        write_files(tmp_path, {"model.ubj": flip(MODEL, bit)})
        os.utime(tmp_path / "model.ubj", (written, written + seconds))
        error = check(tmp_path).error

        assert f"{tmp_path}/model.ubj: expected the SHA-256 " in error
        assert advice in error
        assert f"(cd {tmp_path} && sha256sum model.ubj > model.ubj.sha256)" in error


@pytest.mark.parametrize("written", [b"", b"model.ubj: OK\n", checksum_of(MODEL) * 2, b"\xff" * 64])
def test_an_invalid_checksum_prevents_startup(tmp_path: Path, written: bytes) -> None:
    """A checksum file without one checksum is an error that says how to write it."""
    write_files(tmp_path, {"model.ubj": MODEL, "model.ubj.sha256": written})
    error = check(tmp_path).error

    assert f"{tmp_path}/model.ubj.sha256: expected one SHA-256, as sha256sum prints it" in error


def test_the_members_of_an_ensemble_have_checksums(tmp_path: Path) -> None:
    """Each member of an ensemble is compared with its own checksum."""
    files = {"xgboost-model-0": MODEL, "xgboost-model-1": OTHER_MODEL}
    sums = {f"{name}.sha256": checksum_of(content) for name, content in files.items()}
    write_files(tmp_path, files | sums)
    right = check(tmp_path).error
    write_files(tmp_path, {"xgboost-model-1.sha256": checksum_of(MODEL)})

    assert right == ""
    assert f"{tmp_path}/xgboost-model-1: expected the SHA-256" in check(tmp_path).error


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("name", NESTED)
def test_deep_nesting_is_found(tmp_path: Path, name: str, checksum: bool) -> None:  # noqa: FBT001
    """A file of a million nested values is an error that says so, also with its checksum."""
    content = NESTED[name] + MODEL[-60:] if name.endswith(".ubj") else NESTED[name]
    write_files(tmp_path, {name: content})
    if checksum:
        write_files(tmp_path, {f"{name}.sha256": checksum_of(content)})

    assert f"{tmp_path}/{name} is nested more than 100 levels deep" in check(tmp_path).error


def test_brackets_in_names_are_not_nesting(tmp_path: Path) -> None:
    """Thousands of opening brackets in the names of features do not make a model deep."""
    names = [f"a({{{{({number}" for number in range(200)]
    booster = train(random_features(50, len(names)), names=names)
    write_files(tmp_path, {"model.json": bytes(booster.save_raw("json"))})

    assert check(tmp_path).error == ""


@pytest.mark.parametrize("length", [1 << 62, (1 << 64) - 1, len(MODEL)])
@pytest.mark.parametrize("before", [b"left_children[$l#L", b"base_weights[$d#L", b"base_scoreSL"])
def test_damaged_lengths(tmp_path: Path, before: bytes, length: int) -> None:
    """A length beyond the end of the file, of any size, is one line of error."""
    start = MODEL.index(before) + len(before)
    damaged = MODEL[:start] + length.to_bytes(8, "big") + MODEL[start + 8 :]
    error = check(write_files(tmp_path, {"model.ubj": damaged})).error

    assert f"{tmp_path}/model.ubj is not valid UBJSON near byte " in error


def test_flipped_bits_never_end_the_process(tmp_path: Path) -> None:
    """Without a checksum, a flipped bit is one line of error, or the self-test still matches."""
    write_files(tmp_path, SELF_TEST)
    for bit in choose_bits(40):
        write_files(tmp_path, {"model.ubj": flip(MODEL, bit)})
        outcome = check(tmp_path)

        assert len(outcome.error.splitlines()) == (outcome.output == ""), bit


def set_child(model: Trees) -> None:
    model["trees"][0]["left_children"][0] = 10**8


def set_loop(model: Trees) -> None:
    tree = model["trees"][0]
    inner = next(node for node, left in enumerate(tree["left_children"]) if node and left > 0)
    tree["left_children"][inner] = inner


def set_feature(model: Trees) -> None:
    model["trees"][1]["split_indices"][0] = 3


def set_group(model: Trees) -> None:
    model["tree_info"][0] = 10**8


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (set_child, "has a damaged tree: tree 0 leads to a node that it does not have"),
        (set_loop, "has a damaged tree: tree 0 leads to one node in two ways"),
        (set_feature, "has a damaged tree: tree 1 tests a feature that the model does not have"),
        (set_group, "ends with SIGSEGV when it loads the model or predicts with it"),
    ],
)
@pytest.mark.parametrize("file", ["model.json", "xgboost-model-1"])
def test_damage_that_would_end_the_process(
    tmp_path: Path, damage: Callable[[Trees], None], reason: str, file: str
) -> None:
    """Damage by which XGBoost crashes or never returns is one line, which names the file."""
    document = json.loads(JSON_MODEL)
    damage(document["learner"]["gradient_booster"]["model"])
    if file == "xgboost-model-1":
        write_files(tmp_path, {"xgboost-model-0": MODEL})
    write_files(tmp_path, {file: json.dumps(document).encode()})
    outcome = run_check(tmp_path)

    assert outcome.returncode == 1
    assert reason in outcome.stderr
    assert f"{tmp_path}/{file}" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_the_server_reports_a_model_that_ends_the_process(tmp_path: Path) -> None:
    """4.3: Serving a model that crashes XGBoost ends with exit code 1 and one line."""
    document = json.loads(JSON_MODEL)
    set_group(document["learner"]["gradient_booster"]["model"])
    write_files(tmp_path, {"model.json": json.dumps(document).encode()})

    assert f"cannot serve: {tmp_path}/model.json: XGBoost ends with SIGSEGV" in startup_error(
        tmp_path
    )


def test_a_model_that_needs_too_much_memory(tmp_path: Path) -> None:
    """A damaged size does not fill the memory: the file is an error."""
    document = json.loads(JSON_MODEL)
    document["learner"]["learner_model_param"]["num_feature"] = "4000000000"
    write_files(tmp_path, {"model.json": json.dumps(document).encode()})

    assert f"{tmp_path}/model.json" in check(tmp_path).error


@pytest.mark.parametrize(
    "parameters",
    [
        {"booster": "dart"},
        {"num_parallel_tree": 3},
        {"objective": "multi:softprob", "num_class": 3},
        {"tree_method": "exact", "gamma": 0.2, "max_depth": 8},
        {"grow_policy": "lossguide", "max_leaves": 9, "max_depth": 0},
        {"booster": "gblinear"},
    ],
)
@pytest.mark.parametrize("format_", ["ubj", "json"])
def test_sound_trees_are_not_damaged(
    tmp_path: Path, parameters: dict[str, Any], format_: str
) -> None:
    """Models of every kind of booster, and with pruned nodes, are served."""
    features = random_features(200, 4, missing=0)
    booster = train(features, np.arange(200) % 3, **parameters)
    write_files(tmp_path, {f"model.{format_}": bytes(booster.save_raw(format_))})

    assert check(tmp_path).error == ""


def test_multiple_outputs_per_tree_are_not_damaged(tmp_path: Path) -> None:
    """Trees whose leaves are vectors are served."""
    features = random_features(200, 4, missing=0)
    target = np.column_stack([np.arange(200), np.arange(200)[::-1]])
    booster = train(features, target, multi_strategy="multi_output_tree")

    assert check(save_artifact(booster, tmp_path)).error == ""


def test_the_sample_model_has_a_checksum_and_a_thorough_self_test() -> None:
    """The rows of the sample model's self-test visit at least nine in ten leaves of its trees."""
    booster = xgboost.Booster(model_file=ARTIFACT / "model.ubj")
    schema = json.loads((ARTIFACT / "schema.json").read_text())
    rows = pd.read_csv(ARTIFACT / "self-test" / "request.csv")
    for feature in schema["features"]:
        if categories := feature.get("categories"):
            rows[feature["name"]] = pd.Categorical(rows[feature["name"]], categories=categories)
    leaves = booster.predict(xgboost.DMatrix(rows, enable_categorical=True), pred_leaf=True)
    visited = sum(len(np.unique(tree)) for tree in leaves.T)
    count = booster.trees_to_dataframe()["Feature"].eq("Leaf").sum()
    content = (ARTIFACT / "model.ubj").read_bytes()

    assert visited >= 0.9 * count
    assert (ARTIFACT / "model.ubj.sha256").read_bytes() == checksum_of(content)


def test_only_a_model_without_a_checksum_is_tried_in_a_child(tmp_path: Path) -> None:
    """A model without a checksum starts as well: its child process leaves nothing behind."""
    write_files(tmp_path, {"model.ubj": MODEL})
    with running(tmp_path) as server:
        status = server.post(b"1,2,3\n").status_code

    assert status == 200
    assert [event["level"] for event in server.events() if event["level"] == "ERROR"] == []
