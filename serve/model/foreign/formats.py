"""The formats that a file may have instead of a model, by their first bytes, with their fixes."""

import re
from dataclasses import dataclass
from enum import IntEnum

SAVE_MODEL = "save the model with booster.save_model('model.ubj')"
ONLY_XGBOOST = "this server only serves XGBoost models"
COPY_AGAIN = "copy the model again"
CONVERT = "in a clone of xgb-endpoint, run: make convert MODEL={path}"


class Likelihood(IntEnum):
    """How likely it is that a file was meant to be the model."""

    OTHER = 0
    DAMAGED = 1
    ARCHIVE = 2
    FOREIGN = 3  # a model of another library, or an export that XGBoost cannot load
    MODEL = 4
    CONVERTIBLE = 5  # by `make convert`


@dataclass(frozen=True, slots=True)
class Foreign:
    """The kind of a file, as a predicate ("is empty"), and the fix, with {path} and {folder}."""

    predicate: str
    fix: str
    likelihood: Likelihood = Likelihood.OTHER


@dataclass(frozen=True, slots=True)
class ForeignFormat:
    """A format that is recognized by its first bytes alone."""

    start: re.Pattern[bytes]
    foreign: Foreign


def archive(predicate: str = "is an archive", command: str = "extract it") -> Foreign:
    """Return what an archive is, and the fix."""
    fix = f"{command}, because the model directory must contain the model file itself"
    return Foreign(predicate, fix, Likelihood.ARCHIVE)


def _model(start: bytes, predicate: str, fix: str) -> ForeignFormat:
    return ForeignFormat(re.compile(start), Foreign(predicate, fix, Likelihood.MODEL))


def _foreign(start: bytes, predicate: str, fix: str = ONLY_XGBOOST) -> ForeignFormat:
    return ForeignFormat(re.compile(start), Foreign(predicate, fix, Likelihood.FOREIGN))


def _damaged(start: bytes, predicate: str, fix: str) -> ForeignFormat:
    return ForeignFormat(re.compile(start), Foreign(predicate, fix, Likelihood.DAMAGED))


def _other(start: bytes, predicate: str, fix: str = SAVE_MODEL) -> ForeignFormat:
    return ForeignFormat(re.compile(start), Foreign(predicate, fix))


NO_TREES = "from which no model can be loaded"
# The first format that matches is the file's.
FOREIGN_FORMATS = (
    # Damaged files
    _damaged(rb"\Z", "is empty", "save the model again"),
    _damaged(rb"(?:\0{16}|\0{1,15}\Z)", "starts with zeros", COPY_AGAIN),
    _model(rb"\{L\0{1,7}(?:\x07l?e?a?r?n?e?)?\Z", "is truncated", COPY_AGAIN),
    _model(rb"\xef\xbb\xbf\s*[{\[]", "is JSON with a byte order mark", SAVE_MODEL),
    _model(
        rb"\xff\xfe\s*\{\0|\xfe\xff\0\s*\{|\{\0|\0\{",
        "is JSON in UTF-16",
        "convert it to UTF-8, such as with: iconv -f UTF-16 -t UTF-8",
    ),
    # What XGBoost writes besides models
    _foreign(
        rb"(?:booster\[\d+\]:|0:\[.+\] yes=\d+,no=\d+|0:leaf=)",
        f"is a text dump of trees, {NO_TREES}",
        SAVE_MODEL,
    ),
    _foreign(rb'\s*\[?\s*\{\s*"nodeid"', f"is a JSON dump of trees, {NO_TREES}", SAVE_MODEL),
    _foreign(rb"digraph\b", f"is a dump of trees for Graphviz, {NO_TREES}", SAVE_MODEL),
    _foreign(rb",?Tree,Node,ID,Feature,Split", f"is a table of trees, {NO_TREES}", SAVE_MODEL),
    _foreign(
        rb'\s*\{\s*"learner"\s*:\s*\{\s*"generic_param"',
        "is a booster's configuration (save_config), which contains no trees",
        SAVE_MODEL,
    ),
    _model(
        rb'\s*\{\s*"Config"|\{L\0{7}\x06Config',
        "is a snapshot of a booster's memory, not a saved model",
        SAVE_MODEL,
    ),
    _model(
        rb"bs64[\t ]",
        "is a model in Base64, which XGBoost before 1.0 wrote",
        "load it with that XGBoost, and save it with booster.save_model('model.bin')",
    ),
    _model(
        rb"RDX\d|X\n\0\0\0",
        "is an R object (saveRDS or save)",
        "save the model with xgb.save(model, 'model.ubj')",
    ),
    _model(
        rb'\0\0\0[\x02-\xff](?:\{L\0{7}\x07learner|\s*\{\s*"learner|binf)',
        "is a classifier of xgboost4j-spark, which precedes the model with its number of classes",
        'in Spark, save it with model.nativeBooster.saveModel("model.ubj")',
    ),
    _model(
        rb"e0wAAAAAAAAAB2xlYXJuZX|eyJsZWFybmVy|eyJ2ZXJzaW9u",
        "is a model in Base64",
        "decode it, such as with: base64 -d {path} > {path}.decoded && mv {path}.decoded {path}",
    ),
    _model(
        rb"(?:bytearray\()?b['\"]\{|\"\{\\\"(?:learner|version)",
        "is the text of a Python object or a JSON string that contains a model",
        SAVE_MODEL,
    ),
    # Models of other libraries
    _foreign(rb"tree\r?\nversion=v\d|\{\"name\":\s*\"tree\"", "is a LightGBM model"),
    _foreign(rb'CBM1|\{\s*"(?:ctrs|features_info|model_info)"', "is a CatBoost model"),
    _foreign(rb"\x08[\x03-\x14](?:\x12[\x00-\x7f][\w .:-]|\x1a|\x22|:|B\x02)", "is an ONNX model"),
    _foreign(rb"\x08\x01\x12", "is a TensorFlow model"),
    _foreign(rb"(?s).{4}TFL3", "is a TensorFlow Lite model"),
    _foreign(rb"(?s)\s*(?:<\?xml.{0,400}?>\s*)?<PMML\b", "is a PMML model"),
    _foreign(rb"(?s).{3,5}\0{3,5}\{\"", "is a safetensors file"),
    _foreign(rb"\x89HDF\r\n", "is an HDF5 file"),
    _foreign(rb"GGUF|ggml|lmgg|tjgg", "is a GGUF or GGML model"),
    _foreign(rb"\xac\xed\0", "is a serialized Java object"),
    # What a download or a checkout leaves instead of the file
    _model(
        rb"version https://git-lfs\.github\.com",
        "is a git-LFS pointer, not the file itself",
        "run git lfs pull, and copy the file again",
    ),
    _model(rb"/annex/objects/", "is a git-annex pointer", "run git annex get, and copy it again"),
    _other(rb"(?:outs|md5|deps):", "is a DVC pointer", "run dvc pull, and copy the model itself"),
    _damaged(
        rb"(?is)\s*(?:<\?xml.{0,400}?>\s*)?(?:<!--.{0,400}?-->\s*)*<(?:!doctype html|html)\b",
        "is an HTML page, such as of a failed download",
        "download the model again",
    ),
    _damaged(rb"(?s)\s*<\?xml.{0,200}?<Error>", "is an error of S3, not the object", COPY_AGAIN),
    # Archives
    ForeignFormat(
        re.compile(rb"(?s).{257}ustar"),
        archive("is a tar archive", "extract it with tar -xf {path} -C {folder}"),
    ),
    ForeignFormat(re.compile(rb"7z\xbc\xaf|Rar!"), archive()),
    # Everything else
    _other(rb"\s*<\?xml", "is an XML document"),
    _other(rb"\x93NUMPY", "is a NumPy array"),
    _other(rb"PAR1", "is a Parquet file"),
    _other(rb"ARROW1|FEA1", "is an Arrow file"),
    _other(rb"SQLite format 3", "is an SQLite database"),
    _other(rb"(?s)\x89PNG|\xff\xd8\xff|GIF8|RIFF.{4}WEBP|BM.{4}\0{4}", "is an image"),
    _other(rb"%PDF", "is a PDF document"),
    _other(rb"\x7fELF|\xcf\xfa\xed\xfe|MZ", "is a program or a library"),
    _other(
        rb"[^\n,{}\[\]\x00-\x08]*(?:,[^\n,{}\[\]\x00-\x08]*)+\r?\n"
        rb"[^\n,{}\[\]]*(?:,[^\n,{}\[\]]*)+(?:\n|\Z)",
        "is CSV data",
    ),
    _other(rb"[-+.\d]+(?: \d+:[-+.\deE]+)+\s", "is libsvm data"),
)
