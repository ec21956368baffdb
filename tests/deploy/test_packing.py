"""Packing: an endpoint serves what the folder or tarball of the artifact serves, links included."""

import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xgboost

from tests.deploy.conftest import Run
from tests.deploy.support import PAYLOAD, POLL
from tests.support.artifacts import BOOSTER, EXPECTED, MODEL, OTHER, OTHER_MODEL, REQUEST, SCHEMA
from tests.support.aws_emulator.server import BUCKET, Emulator
from tests.support.boosters import predict_with_xgboost
from tests.support.check import check, write_files
from tests.support.obstacles import OBSTACLES
from tests.support.server import ROOT
from tests.support.unprivileged import run_unprivileged

ARTIFACT = ROOT / "model" / "artifact"
WITHOUT_SAMPLE = {f"  sample: {PAYLOAD}": "  # sample:"}
ROW = np.array([[1, 2, 3]], np.float32)

Link = tuple[str, str]  # target, name
Upload = Callable[[Path], list[float]]

# Files, hard links, symbolic links, and the boosters that predict.
LAYOUTS: dict[str, tuple[dict[str, bytes], list[Link], list[Link], list[xgboost.Booster]]] = {
    "a third name of a member": (
        {"xgboost-model-0": MODEL, "xgboost-model-1": OTHER_MODEL},
        [],
        [("xgboost-model-0", "xgboost-model-2")],
        [BOOSTER, OTHER],
    ),
    "two standard names, linked": (
        {"model.ubj": MODEL},
        [],
        [("model.ubj", "xgboost-model")],
        [BOOSTER],
    ),
    "the latest version": ({"v1.ubj": MODEL}, [], [("v1.ubj", "latest.ubj")], [BOOSTER]),
    "a link to a link": (
        {"m/v1.ubj": MODEL},
        [("m/v1.ubj", "m/copy.ubj")],
        [("v1.ubj", "m/v.ubj"), ("m/v.ubj", "latest.ubj")],
        [BOOSTER],
    ),
    "a hidden file": ({".cache/1": MODEL}, [], [(".cache/1", "model.ubj")], [BOOSTER]),
    "a checkpoint": (
        {
            "checkpoints/xgboost-checkpoint.9": MODEL,
            "checkpoints/xgboost-checkpoint.8": OTHER_MODEL,
        },
        [("checkpoints/xgboost-checkpoint.9", "xgboost-model")],
        [],
        [BOOSTER],
    ),
    "members with one schema": (
        {"a/m.ubj": MODEL, "b/m.ubj": OTHER_MODEL, "a/schema.json": b'{"missing_value": 2}'},
        [("a/schema.json", "b/schema.json")],
        [("a/m.ubj", "c.ubj")],
        [BOOSTER, OTHER],
    ),
    "a linked self-test": (
        {"model.ubj": MODEL, "data/request": REQUEST, "data/expected": EXPECTED},
        [("data/request", "self-test/request.csv")],
        [("../data/expected", "self-test/expected.csv")],
        [BOOSTER],
    ),
}


def write_layout(folder: Path, layout: str) -> Path:
    """Write the files and links of a layout into a new folder, and return it."""
    files, hard_links, symbolic_links, _ = LAYOUTS[layout]
    write_files(folder, files)
    for target, name in hard_links:
        (folder / name).parent.mkdir(exist_ok=True)
        os.link(folder / target, folder / name)
    for target, name in symbolic_links:
        (folder / name).symlink_to(target)
    return folder


def predict(layout: str) -> float:
    """Return XGBoost's own prediction for the sample row."""
    row = np.where(ROW == 2, np.nan, ROW) if layout == "members with one schema" else ROW
    boosters = LAYOUTS[layout][3]
    return float(np.mean([predict_with_xgboost(booster, row) for booster in boosters]))


@pytest.fixture
def serve_upload(
    run: Run, write_config: Callable[..., Path], emulator: Emulator, tmp_path: Path
) -> Upload:
    """Return a function that uploads an artifact with `up`, and predicts with what arrived."""

    def upload(artifact: Path) -> list[float]:
        environment = 'environment: {SAGEMAKER_INFERENCE_ENSEMBLE: "true"}'
        changes = {str(ARTIFACT): str(artifact), **WITHOUT_SAMPLE}
        if "schema" in str(artifact):
            changes["environment: {}"] = environment
        outcome = run("up", write_config(changes), *POLL)
        assert outcome.exit_code == 0, outcome.output
        s3 = emulator.client("s3")
        (item,) = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        content = s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
        (tmp_path / "uploaded.tar.gz").write_bytes(content)
        with tarfile.open(tmp_path / "uploaded.tar.gz") as archive:
            assert all(member.isfile() or member.isdir() for member in archive)
        (tmp_path / "endpoint").mkdir()
        subprocess.run(
            ["tar", "-xzf", "uploaded.tar.gz", "-C", "endpoint"], cwd=tmp_path, check=True
        )
        return score(tmp_path / "endpoint")

    return upload


def score(folder: Path) -> list[float]:
    """Return the server's predictions for the sample row with the artifact in a folder."""
    sample = folder.parent / "sample.csv"
    sample.write_bytes(REQUEST)
    outcome = check(folder, sample, "--json")
    assert not outcome.error
    return [float(line) for line in json.loads(outcome.output)["sample_response"].split()]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_linked_models_are_served_once(
    serve_upload: Upload, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, layout: str
) -> None:
    """The upload of a folder with links predicts as the folder does, and as XGBoost does."""
    if "schema" in layout:
        monkeypatch.setenv("SAGEMAKER_INFERENCE_ENSEMBLE", "true")
    folder = write_layout(tmp_path / layout, layout)
    expected = predict(layout)

    np.testing.assert_allclose(score(folder), [expected], rtol=1e-6)
    np.testing.assert_allclose(serve_upload(folder), [expected], rtol=1e-6)


@pytest.mark.parametrize(
    ("layout", "options"),
    [
        ("a third name of a member", "-czhf"),
        ("the latest version", "-czf"),
        ("a link to a link", "-czf"),
        ("members with one schema", "-czhf"),
    ],
)
def test_links_of_a_tarball_are_replaced(
    serve_upload: Upload,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    layout: str,
    options: str,
) -> None:
    """A tarball with links within it, as GNU tar writes them, is uploaded without links."""
    if "schema" in layout:
        monkeypatch.setenv("SAGEMAKER_INFERENCE_ENSEMBLE", "true")
    folder = write_layout(tmp_path / "folder", layout)
    tarball = tmp_path / f"{layout}.tar.gz"
    subprocess.run(["tar", options, tarball, "-C", folder, "."], check=True)

    np.testing.assert_allclose(serve_upload(tarball), [predict(layout)], rtol=1e-6)


LINKS = {
    "absolute": [("/etc/passwd", "x")],
    "outside": [("../x", "a/y"), ("../../x", "a/x")],
    "outside by another link": [(".", "here"), ("here/../../x", "x")],
    "outside by a later link": [("here/../x", "x"), (".", "here")],
    "a name of a file": [("v1.ubj", "model.ubj")],
}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("links", LINKS)
def test_links_that_are_not_packed_are_rejected(
    run: Run, write_config: Callable[..., Path], tmp_path: Path, links: str, kind: bytes
) -> None:
    """A link that leads outside the archive, or replaces a file, is rejected with the fix."""
    (tmp_path / "model.ubj").write_bytes(MODEL)
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(tmp_path / "model.ubj", "model.ubj")
        for target, name in LINKS[links]:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, target
            archive.addfile(link)
    outcome = run("plan", write_config({str(ARTIFACT): str(path), **WITHOUT_SAMPLE}))

    assert outcome.exit_code == 1
    assert "which is not in the archive" in outcome.output or "twice" in outcome.output
    assert "create one with tar -czhf" in outcome.output
    assert len(outcome.output.splitlines()) == 1


def test_strays_are_not_uploaded(
    run: Run, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    """Files that cannot be read, beside the artifact's own, are left out with a warning."""
    folder = write_files(tmp_path / "folder", {"model.ubj": MODEL})
    for kind, (create, _) in OBSTACLES.items():
        create(folder / kind)
    outcome = run("plan", write_config({str(ARTIFACT): str(folder), **WITHOUT_SAMPLE}))
    shown = sorted(OBSTACLES)[:5]
    described = ", ".join(f'"{kind}" (' for kind in shown)

    assert outcome.exit_code == 0, outcome.output
    warning = outcome.stderr.splitlines()[0]
    assert re.sub(r"\(.*?\)", "(", warning).startswith(
        f"warning: model.artifact: not uploaded: {described}"
    )
    assert all(OBSTACLES[kind][1] in warning for kind in shown)
    assert warning.endswith(f" and {len(OBSTACLES) - len(shown)} more")


@pytest.mark.parametrize("name", ["model.ubj", "schema.json", "self-test"])
def test_needed_files_that_cannot_be_packed(
    run: Run, write_config: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    """If a file of the artifact itself cannot be read, `plan` names it, with the fix."""
    files = {
        "model.ubj": {},
        "schema.json": {"model.ubj": MODEL},
        "self-test": {"model.ubj": MODEL},
    }
    folder = write_files(tmp_path / "folder", files[name])
    folder.mkdir(exist_ok=True)
    (folder / name).symlink_to("nowhere" if name == "model.ubj" else "/proc")
    outcome = run("plan", write_config({str(ARTIFACT): str(folder), **WITHOUT_SAMPLE}))

    assert outcome.exit_code == 1
    assert f"the server would not start: {folder}/{name} is a link to a " in outcome.output
    assert "replace it with the " in outcome.output


def test_content_types_that_the_model_rejects(
    run: Run, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    """A declared header is rejected for a model without column names, as every request would be."""
    folder = write_files(tmp_path / "folder", {"model.ubj": MODEL})
    changes = {str(ARTIFACT): str(folder), **WITHOUT_SAMPLE}
    types = "[text/csv, application/json]"
    outcome = run("plan", write_config({**changes, types: "[csv; header=present]"}))
    accepted = run("plan", write_config({**changes, types: "[text/csv; header=absent]"}))
    (folder / "schema.json").write_bytes(SCHEMA)
    named = run("plan", write_config({**changes, types: "[text/csv; header=present]"}))

    assert outcome.exit_code == 1
    assert (
        "data_format.content_types: the server would reject every payload: header=present: "
        "the model has no column names; send the columns in order and without a header"
    ) in outcome.output
    assert accepted.exit_code == named.exit_code == 0


def test_files_without_permission(write_config: Callable[..., Path]) -> None:
    """Files and folders that the user cannot read are left out with a warning."""
    # Only root may enter tmp_path.
    folder = write_files(
        Path(tempfile.mkdtemp()), {"model.ubj": MODEL, "stray.bin": b"x", "closed/b": b"x"}
    )
    folder.chmod(0o755)
    text = write_config({str(ARTIFACT): str(folder), **WITHOUT_SAMPLE}).read_text()
    configuration = folder.parent / f"{folder.name}.yaml"
    configuration.write_text(text)
    try:
        (folder / "stray.bin").chmod(0)
        (folder / "closed").chmod(0)
        outcome = plan_unprivileged(configuration)
    finally:
        configuration.unlink()
        (folder / "closed").chmod(0o700)
        shutil.rmtree(folder)

    assert outcome.returncode == 0, outcome.stderr
    assert (
        'not uploaded: "closed" (is a directory that cannot be read), '
        '"stray.bin" (cannot be read: Permission denied)'
    ) in outcome.stderr


def plan_unprivileged(configuration: Path) -> "subprocess.CompletedProcess[str]":
    environment = {name: os.environ[name] for name in os.environ if not name.startswith("AWS_")}
    return run_unprivileged(
        "deploy.cli.main",
        f"cli(['plan', {str(configuration)!r}])",
        {**environment, "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"},
    )
