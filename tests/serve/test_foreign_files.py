"""Files that are not models: each is named for what it is, with its remedy or none."""

import base64
import bz2
import gzip
import io
import json
import lzma
import pickle
import subprocess
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from tests.support.artifacts import BOOSTER, MODEL, OLD_MODEL, OLD_MODELS
from tests.support.check import check, write_files

CONVERT = "make convert MODEL="
SAVE = "save the model with booster.save_model('model.ubj')"
NEVER_LOADED = "which is never loaded because it can run arbitrary code"
CONFIG = BOOSTER.save_config()
PICKLE = pickle.dumps(BOOSTER)


def write_pickle(*classes: tuple[str, str]) -> bytes:
    """Return a pickle, which must not be loaded, of an object that refers to these classes."""
    opcodes = b"\x80\x04"
    for module, name in classes:
        for text in (module, name):
            opcodes += pickle.SHORT_BINUNICODE + bytes([len(text)]) + text.encode() + b"\x94"
        opcodes += pickle.STACK_GLOBAL + b"\x94"
    return opcodes + b"."


PIPELINE = write_pickle(
    ("sklearn.pipeline", "Pipeline"),
    ("sklearn.preprocessing._data", "StandardScaler"),
    ("xgboost.sklearn", "XGBRegressor"),
)
ESTIMATOR = write_pickle(("xgboost.sklearn", "XGBRegressor"), ("xgboost.core", "Booster"))
SEARCH = write_pickle(
    ("sklearn.model_selection._search", "GridSearchCV"), ("xgboost.sklearn", "XGBClassifier")
)
LIGHTGBM = write_pickle(("lightgbm.sklearn", "LGBMClassifier"), ("numpy", "ndarray"))


def dump(format_: str) -> bytes:
    trees = BOOSTER.get_dump(dump_format=format_)
    separator = ",\n" if format_ == "json" else "\nbooster[1]:\n"
    text = separator.join(trees)
    return (f"[\n{text}\n]" if format_ == "json" else f"booster[0]:\n{text}").encode()


def pack(mode: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]  # str
        archive.addfile(tarfile.TarInfo("model.ubj"), io.BytesIO())
    return packed.getvalue()


def zip_files(name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, b"x")
    return packed.getvalue()


CONVERTIBLE = {
    "old binary": OLD_MODEL,
    "old binary without its mark": OLD_MODEL[4:],
    "an old binary, cut off": b"\0\0\0\x3f\4\0\0\0",
    "pickled estimator": ESTIMATOR,
    "pickled search": SEARCH,
    **{f"pickle of protocol {protocol}": pickle.dumps(BOOSTER, protocol) for protocol in range(6)},
    "joblib, zlib": zlib.compress(PICKLE, 3),
    "joblib, gzip": gzip.compress(PICKLE),
    "joblib, bz2": bz2.compress(PICKLE),
    "joblib, xz": lzma.compress(PICKLE, preset=0),
    "joblib, lzma": lzma.compress(PICKLE, format=lzma.FORMAT_ALONE, preset=0),
    "joblib, lz4": b"\x04\x22\x4d\x18\x64\x40\xa7" + b"x" * 20,
}
NAMED: dict[str, tuple[bytes, str]] = {
    "text dump": (dump("text"), "is a text dump of trees, from which no model can be loaded"),
    "JSON dump": (dump("json"), "is a JSON dump of trees, from which no model can be loaded"),
    "Graphviz": (BOOSTER.get_dump(dump_format="dot")[0].encode(), "is a dump of trees"),
    "one tree": (BOOSTER.get_dump()[0].encode(), "is a text dump of trees"),
    "table of trees": (b"Tree,Node,ID,Feature,Split\n0,0,0-0,f0,1\n", "is a table of trees"),
    "save_config": (CONFIG.encode(), "is a booster's configuration (save_config)"),
    "save_config, indented": (
        json.dumps(json.loads(CONFIG), indent=2).encode(),
        "is a booster's configuration (save_config), which contains no trees: " + SAVE,
    ),
    "snapshot": (bytes(BOOSTER.__getstate__()["handle"]), "is a snapshot of a booster's memory"),
    "Base64": (b"bs64\tAAAAPwAA", "is a model in Base64"),
    "xgboost4j-spark": (
        b"\0\0\0\2" + MODEL,
        'its number of classes: in Spark, save it with model.nativeBooster.saveModel("model.ubj")',
    ),
    "UBJSON in Base64": (
        base64.b64encode(MODEL),
        "is a model in Base64: decode it, such as with: ",
    ),
    "JSON in Base64": (base64.b64encode(BOOSTER.save_raw("json")), "is a model in Base64"),
    "text of bytes": (repr(MODEL).encode(), "is the text of a Python object or a JSON string"),
    "text of a bytearray": (repr(bytearray(MODEL)).encode(), "is the text of a Python object"),
    "JSON string": (
        json.dumps(BOOSTER.save_raw("json").decode()).encode(),
        "is the text of a Python object or a JSON string that contains a model: " + SAVE,
    ),
    "pickled bytes": (pickle.dumps(BOOSTER.save_raw("ubj")), "it contains the bytes of a model"),
    "pickled JSON": (pickle.dumps(bytes(BOOSTER.save_raw("json"))), "the bytes of a model: write"),
    "UTF-16": (BOOSTER.save_raw("json").decode().encode("utf-16"), "is JSON in UTF-16"),
    "BOM": (b"\xef\xbb\xbf" + BOOSTER.save_raw("json"), "is JSON with a byte order mark"),
    "LightGBM": (b"tree\nversion=v4\nnum_class=1\n", "is a LightGBM model: this server only"),
    "CatBoost": (b"CBM1\xd0\1\0\0", "is a CatBoost model"),
    "ONNX": (b"\x08\x08\x12\x08skl2onnx\x1a\x061.14.0", "is an ONNX model"),
    "PMML": (b'<?xml version="1.0"?>\n<PMML version="4.4">', "is a PMML model"),
    "safetensors": (b'\x40\0\0\0\0\0\0\0{"__metadata__":{}}', "is a safetensors file"),
    "GGUF": (b"GGUF\3\0\0\0\x23\1\0\0\0\0\0\0\x18" + bytes(99), "is a GGUF or GGML model: this"),
    "Zstandard": (
        b"\x28\xb5\x2f\xfd" + b"x" * 99,
        "is compressed with Zstandard: decompress it with unzstd",
    ),
    "compress": (b"\x1f\x9d\x90xyz", "is compressed with compress: decompress it with uncompress"),
    "HDF5": (b"\x89HDF\r\n\x1a\n\0", "is an HDF5 file"),
    "PyTorch": (zip_files("archive/data.pkl"), "is a PyTorch model"),
    "R": (gzip.compress(b"X\n\0\0\0\3\0\4"), "is an R object (saveRDS or save)"),
    "git-LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n",
        "is a git-LFS pointer, not the file itself: run git lfs pull",
    ),
    "HTML": (b"<!DOCTYPE html>\n<html><body>404</body></html>", "is an HTML page"),
    "error of S3": (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>',
        "is an error of S3 (AccessDenied), not the object",
    ),
    "tar": (pack("w"), "is a tar archive: extract it with tar -xf "),
    "tar.gz": (pack("w:gz"), "is an archive: extract it with tar -xf "),
    "tar.bz2": (pack("w:bz2"), "is an archive: extract it with tar -xf "),
    "tar.xz": (pack("w:xz"), "is an archive: extract it with tar -xf "),
    "zip": (zip_files("model.ubj"), "is an archive: extract it, because"),
    "compressed dump": (gzip.compress(dump("text")), "its content is a text dump of trees"),
    "compressed CSV": (gzip.compress(b"a,b\n1,2\n"), "compressed with gzip; its content is CSV"),
    "a tar.gz in gzip": (gzip.compress(pack("w:gz")), "is an archive: extract it"),
    "compressed model": (gzip.compress(MODEL), "is a model compressed with gzip: decompress it"),
    "Pipeline": (
        PIPELINE,
        f"is a pickle, {NEVER_LOADED}; it contains a scikit-learn Pipeline: save the last step",
    ),
    "compressed Pipeline": (zlib.compress(PIPELINE), "it contains a scikit-learn Pipeline"),
    "pickled dict": (
        pickle.dumps({"model": BOOSTER}),
        "it contains a dict or a list with xgboost.core.Booster: " + SAVE,
    ),
    "pickled settings": (pickle.dumps({"a": [1, 2]}), "it contains no model"),
    "pickled LightGBM": (LIGHTGBM, "it contains lightgbm.sklearn.LGBMClassifier: this server"),
    "zeros": (bytes(5000), "starts with zeros: copy the model again"),
    "start of a model": (MODEL[:9], "is truncated"),
    "CSV": (b"a,b\r\n1,2\r\n", "is CSV data"),
    "libsvm": (b"1 0:3.5 2:4\n0 1:2\n", "is libsvm data"),
    "NumPy": (b"\x93NUMPY\1\0", "is a NumPy array"),
    "Parquet": (b"PAR1\x15\4", "is a Parquet file"),
    "image": (b"\x89PNG\r\n\x1a\n", "is an image"),
    "XML": (b"<?xml version='1.0'?><a/>", "is an XML document"),
    "JSON": (b'{"features": []}', "got another JSON document that starts with"),
    "text": (b"to do: train the model\n", "got a file that starts with b'to do: "),
    "random bytes": (bytes(range(200, 240)), "got a file that starts with"),
}


@pytest.mark.parametrize("kind", CONVERTIBLE)
def test_old_models_and_pickles_can_be_converted(tmp_path: Path, kind: str) -> None:
    """4.1: The message for an old model, pickle or joblib file has the command to convert it."""
    error = check(write_files(tmp_path, {"xgboost-model": CONVERTIBLE[kind]})).error

    assert f"{CONVERT}{tmp_path}/xgboost-model" in error
    assert ("TRUST=yes" in error) == ("binary" not in kind)


@pytest.mark.parametrize("kind", NAMED)
def test_other_files_are_named(tmp_path: Path, kind: str) -> None:
    """4.3: A file is named for what it is; `make convert` is not promised."""
    content, message = NAMED[kind]
    error = check(write_files(tmp_path, {"xgboost-model": content})).error

    assert f"{tmp_path}/xgboost-model" in error
    assert message in error
    assert CONVERT not in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "name"), [(ESTIMATOR, "xgboost.sklearn.XGBRegressor"), (PICKLE, "xgboost.core.B")]
)
def test_the_class_of_a_pickle_is_named(tmp_path: Path, content: bytes, name: str) -> None:
    """A pickle that can be converted is named with its class."""
    error = check(write_files(tmp_path, {"m.joblib": content})).error

    assert f"m.joblib is a pickle, {NEVER_LOADED}; it contains {name}" in error


def test_pickles_are_never_unpickled(tmp_path: Path) -> None:
    """A pickle that would run a command is only read."""
    harmful = b"cos\nsystem\n(S'touch " + bytes(tmp_path) + b"/harm'\ntR."
    error = check(write_files(tmp_path, {"xgboost-model": harmful})).error

    assert "it contains os.system" in error
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("name", ["1.7.pkl", "3.4.pkl"])
def test_the_likely_model_is_explained(tmp_path: Path, name: str) -> None:
    """Among files without a standard name, the likely model is explained, not its companions."""
    files = {
        "model.pkl": (OLD_MODELS / name).read_bytes(),
        "scaler.pkl": write_pickle(("sklearn.preprocessing._data", "StandardScaler")),
        "train.csv": b"a,b\n1,2\n",
        "_SUCCESS": b"",
    }

    assert "model.pkl is a pickle" in check(write_files(tmp_path, files)).error


@pytest.mark.parametrize("name", ["model.ubj", "a model.b64"])
def test_the_command_for_base64_decodes_the_model(tmp_path: Path, name: str) -> None:
    """4.1: The command that decodes a model in Base64 prints nothing; the model is served then."""
    error = check(write_files(tmp_path, {name: base64.b64encode(MODEL)})).error
    command = error.partition("such as with: ")[2]
    process = subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=10)

    assert process.stdout == b""
    assert (tmp_path / name).read_bytes() == MODEL
    assert check(tmp_path).error == ""


def test_unused_files_are_described(tmp_path: Path) -> None:
    """The report of a check says what each ignored file is."""
    write_files(tmp_path, {"model.ubj": MODEL, "b.csv": b"a,b\n1,2\n", "c.pkl": PICKLE})
    ignored = json.loads(check(tmp_path, "--json").output)["ignored_files"]

    assert ignored["b.csv"] == "not a model; it is CSV data"
    assert ignored["c.pkl"].startswith("not a model; it is a pickle")


@pytest.mark.parametrize(
    "content",
    [
        b"ABCF\3\0\0\0\x23\1\0\0\0\0\0\0\x18\0\0\0\0\0\0\0" + b"x" * 500,
        b"\0\0\0\x3f\4\0\0\0" + b"\1\2" * 300,
        b"\0\0\0\x3f\4\0\0\0" + bytes(600),
    ],
)
def test_a_conversion_is_not_promised_for_unknown_bytes(tmp_path: Path, content: bytes) -> None:
    """4.3: Unknown bytes that begin somewhat like an old model cannot be converted."""
    error = check(write_files(tmp_path, {"model.ubj": content})).error

    assert "make convert" not in error
    assert "got a file that starts with" in error


@pytest.mark.parametrize("length", [8, 12, 20, 60, 140])
def test_old_models_that_are_cut_off_are_recognized(tmp_path: Path, length: int) -> None:
    """4.3: The beginning of an old model, however short, is recognized as one."""
    content = OLD_MODEL.removeprefix(b"binf")[:length]

    assert CONVERT in check(write_files(tmp_path, {"model.ubj": content})).error


@pytest.mark.parametrize("number", ["1e40", "1" + "0" * 400])
def test_a_saved_missing_value_beyond_float32_is_none(tmp_path: Path, number: str) -> None:
    """A number that rounds to infinity is not a missing value: the server rejects infinity."""
    booster = BOOSTER.copy()
    booster.set_attr(scikit_learn=f'{{"missing": {number}}}')
    report = check(write_files(tmp_path, {"model.ubj": bytes(booster.save_raw("ubj"))}), "--json")

    assert report.error == ""
    assert '"missing_value"' not in report.output
