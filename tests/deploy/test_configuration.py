"""Validation of endpoint.yaml: each error names its key and the fix."""

import gzip
import hashlib
import re
import shutil
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.support.server import ROOT

sys.path.insert(0, str(ROOT / "docs"))
import tables

ERRORS = [
    ("region: eu-central-1", "regoin: eu-central-1", 'regoin: unknown key; did you mean "region"?'),
    (
        "  bucket: example-models",
        "  buckett: x",
        'model.buckett: unknown key; did you mean "bucket"?',
    ),
    ("  bucket: example-models", "  bucket:", "model.bucket: missing required key"),
    (
        "name: diamonds",
        "name: my_diamonds",
        "name: expected at most 40 letters, digits and hyphens, with no hyphen at either end; got",
    ),
    (
        "region: eu-central-1",
        "region: frankfurt",
        'region: expected an AWS Region such as eu-central-1; got "frankfurt"',
    ),
    (
        "region: eu-central-1",
        "region: us-east-1",
        "image: expected an image in us-east-1 (the value of region), got eu-central-1",
    ),
    ("role: arn:aws:iam", "role: arn:iam", "expected arn:aws:iam::ACCOUNT:role/NAME"),
    ("@sha256:", ":1.0.0-sha256-", "as printed by make push"),
    (
        "version: 1.0.0",
        "version: 1.0",
        "metadata.version: expected a string, got 1.0; put it in quotes",
    ),
    ("    team: pricing", "    team: 7", "metadata.tags.team: expected a string"),
    ("    team: pricing", f"    team: {'x' * 300}", "metadata.tags.team: "),
    ("environment: {}", f"environment: {{A: {'x' * 1025}}}", "data_format.environment: "),
    (
        "environment: {}",
        "environment: {SAGEMAKER_MODEL_SERVER_WORKERS: many}",
        "data_format.environment: the server would not start",
    ),
    (
        "environment: {}",
        "environment: {SAGEMAKER_PROGRAM: inference.py}",
        'SAGEMAKER_PROGRAM="inference.py": user code is not supported yet',
    ),
    (
        "environment: {}",
        "environment: {SAGEMAKER_INFERENCE_OUTPUT: predicted_labels}",
        'did you mean "predicted_label"?',
    ),
    ("environment: {}", "environment: []", "data_format.environment: expected a mapping"),
    (
        "environment: {}",
        'environment: {SAGEMAKER_BIND_TO_PORT: "81"}',
        "expected 8080, SageMaker's port",
    ),
    (
        "[text/csv, application/json]",
        "[text/html]",
        'got "text/html"',
    ),
    (
        "[text/csv, application/json]",
        "[text/csv; headers=present]",
        'data_format.content_types: Content-Type: unknown parameter "headers"; did you mean "head',
    ),
    (
        "[text/csv, application/json]",
        "['text/csv; delimiter=;']",
        "data_format.content_types: Content-Type: expected a quoted character",
    ),
    (
        "[text/csv, application/json]",
        "[text/csv; header=yes]",
        "data_format.content_types: Content-Type: expected header=present or header=absent",
    ),
    (
        "[text/csv, application/json]",
        "[text/csv; charset=utf-7]",
        'data_format.content_types: Content-Type: unsupported charset "utf-7"',
    ),
    (
        "[text/csv, application/json]",
        "[application/json; header=present]",
        'data_format.content_types: Content-Type: the parameter "header" belongs to text/csv',
    ),
    (
        "[text/csv, application/json]",
        f"['text/csv; profile={'x' * 1024}']",
        "data_format.content_types: expected at most 1,024 printable ASCII characters",
    ),
    (
        "[text/csv, application/json]",
        '["text/csv;\\nheader=present"]',
        "data_format.content_types: expected at most 1,024 printable ASCII characters",
    ),
    (
        "[text/csv, application/json]",
        "[text/csv; profile=ü]",
        "data_format.content_types: expected at most 1,024 printable ASCII characters",
    ),
    ("[text/csv, application/json]", "['']", "data_format.content_types: expected a media type"),
    (
        "  # accept: application/json ",
        "  accept: text/csv; streem=true #",
        'data_format.accept: Accept: unknown parameter "streem"; did you mean "stream"?; got',
    ),
    (
        "  # accept: application/json ",
        "  accept: application/json; explain=gain #",
        "data_format.accept: the server would not start: SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT: Acc",
    ),
    (
        "environment: {}",
        "environment: {SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT: text/csv; top=3}",
        "data_format.environment: the server would not start: SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
    ),
    (
        "environment: {}",
        "environment: {SM_MODEL_DIR: /opt/ml/other}",
        "data_format.environment.SM_MODEL_DIR: expected /opt/ml/model, where SageMaker stores",
    ),
    (
        "environment: {}",
        'environment: {SAGEMAKER_BIND_TO_PORT: "http"}',
        "data_format.environment: the server would not start: SAGEMAKER_BIND_TO_PORT",
    ),
    ("[text/csv, application/json]", "text/csv", "data_format.content_types: expected a list"),
    (
        "  # accept: application/json ",
        "  accept: text/html ",
        'data_format.accept: expected one of "text/csv", "application/json"',
    ),
    (
        "instance_count: 2",
        "instance_count: 1",
        "compute.instance_count: expected at least 2, for two Availability Zones; got 1",
    ),
    ("instance_count: 2", "instance_count: two", "compute.instance_count: expected a whole number"),
    (
        "instance_count: 2",
        "instance_count: true",
        "compute.instance_count: expected a whole number",
    ),
    ("  min: 2", "  min: 1", "scaling.min: expected at least 2, for two Availability Zones; got 1"),
    (
        "environment: {}",
        "environment: {SERVE_ROW_EROR: 'x'}",
        "SERVE_ROW_EROR: unknown setting; did you mean",
    ),
    (
        "environment: {}",
        "environment: {SERVE_NONE: 'x'}",
        "SERVE_NONE: unknown setting; see docs/settings.md",
    ),
    ("@sha256:", ":latest#", ":latest"),
    (
        "version: 1.0.0",
        "version: 1.1",
        'metadata.version: expected a string, got 1.1; put it in quotes: "1.1"',
    ),
    (
        "instance_count: 2",
        'instance_count: "2"',
        'expected a whole number, got "2"; remove the quotes',
    ),
    (
        "[text/csv, application/json]",
        "text/csv",
        'expected a list, got "text/csv"; write [text/csv]',
    ),
    (
        "  instance_count: 2",
        "  asynchronous: {output: 's3://replies/x'}",
        "scaling.metric: expected backlog_per_instance for an asynchronous endpoint",
    ),
    (
        "metric: invocations_per_instance",
        "metric: backlog_per_instance",
        "backlog_per_instance requires compute.asynchronous; use invocations_per_instance",
    ),
    ("  max: 6", "  max: 1", "scaling.max: expected at least scaling.min, 2; got 1"),
    ("target: 3000", "target: 0", "scaling.target: expected a number above 0"),
    ("metric: invocations_per_instance", "metric: cpu", "scaling.metric: expected one of"),
    (
        "metric: invocations_per_instance",
        "metric: backlog_per_instance",
        "scaling.metric: backlog_per_instance requires",
    ),
    ("ml.c6i.large #", "ml.t2.medium #", "t2 instances do not support scaling"),
    ("strategy: rolling", "strategy: careful", "update.strategy: expected one of rolling, canary"),
    (
        "step_percent: 50",
        "step_percent: 60",
        "update.step_percent: expected a whole number from 1 to 50",
    ),
    (
        "step_percent: 50",
        "step_percent: 4",
        "update.step_percent: expected a number from 5 to 50 for rolling, got 4",
    ),
    (
        "wait_seconds: 300",
        "wait_seconds: 3000",
        "update.timeout_seconds: expected more than 6000, the total waiting time; got 3600",
    ),
    (
        "update:",
        "network: {subnets: [subnet-1], security_groups: [sg-1]}\nupdate:",
        "network.subnets: expected subnets in at least two Availability Zones, got one subnet",
    ),
    (
        "update:",
        "network: {subnets: [subnet-1, subnet-2]}\nupdate:",
        "network: subnets and security_groups require each other",
    ),
    ("update:", "capture: {destination: bucket}\nupdate:", "capture.destination: "),
    (
        "  instance_count: 2",
        "  serverless: {memory_mb: 3000}",
        "compute.serverless.memory_mb: expected one of 1024",
    ),
    (
        "  instance_count: 2",
        "  serverless: {memory_mb: 2048}",
        "serverless endpoints scale automatically",
    ),
    ("  instance_count: 2", "  asynchronous: {output: here}", "compute.asynchronous.output: "),
    ("sample: ", "sample: /nowhere", "data_format.sample: /nowhere"),
    (
        "artifact: ",
        "artifact: /nowhere",
        f"model.artifact: /nowhere{ROOT}/model/artifact: expected a readable folder or tar.gz: ",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "words"), ERRORS, ids=[words[:40] for _, _, words in ERRORS]
)
def test_errors_name_key_and_fix(
    run: Run, write_config: Callable[..., Path], old: str, new: str, words: str
) -> None:
    """An error in the file is one line with the key and the fix, before any AWS call."""
    outcome = run("plan", write_config({old: new}))

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert len(outcome.output.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "invalid YAML"),
        ("- a", "file: expected a mapping, got a list"),
        ("", "name: missing required key"),
    ],
)
def test_not_a_configuration(run: Run, tmp_path: Path, text: str, words: str) -> None:
    """A file that is not YAML, not a mapping, or empty is rejected with the reason."""
    (tmp_path / "x.yaml").write_text(text)

    assert words in run("plan", tmp_path / "x.yaml").output


def test_missing_file(run: Run, tmp_path: Path) -> None:
    """The error for a missing file refers to the example configuration."""
    assert "endpoint.example.yaml" in run("plan", tmp_path / "none.yaml").output


def test_the_example_shows_every_key() -> None:
    """The example configuration contains every key, active or commented out."""
    example = (ROOT / "deploy" / "endpoint.example.yaml").read_text()

    for key in re.findall(r"^\| `([\w.]+)`", tables.build_keys(), flags=re.MULTILINE):
        assert re.search(rf"^[# ]*{key.rpartition('.')[2]}:", example, flags=re.MULTILINE), key


def test_unknown_instance_type(run: Run, write_config: Callable[..., Path]) -> None:
    """An instance type that boto3 does not know is only a warning: it may be newer."""
    outcome = run("plan", write_config({"ml.c6i.large": "ml.c99i.large"}))

    assert outcome.exit_code == 0, outcome.output
    assert "warning: compute.instance_type: boto3 does not know ml.c99i.large" in outcome.output


@pytest.mark.parametrize(("accept", "count"), [("application/json", 1), ("text/csv", 0), ("", 0)])
def test_captured_encodings(
    run: Run, write_config: Callable[..., Path], accept: str, count: int
) -> None:
    """Model Monitor cannot use CSV payloads with JSON responses, so `plan` warns about them."""
    data_format = "content_types: [text/csv]" + (f"\n  accept: {accept}" if accept else "")
    changes = {
        "content_types: [text/csv, application/json]": data_format,
        "scaling:": "capture:\n  destination: s3://example-models/captured\nscaling:",
    }
    outcome = run("plan", write_config(changes))
    warning = "warning: capture: Model Monitor cannot use payloads in text/csv"

    assert outcome.exit_code == 0, outcome.output
    assert outcome.output.count(warning) == count


def test_media_types_with_parameters(run: Run, write_config: Callable[..., Path]) -> None:
    """Media types with parameters, and other names, are accepted as by the server."""
    changes = {
        "[text/csv, application/json]": "['text/csv; header=present', csv, text/x-libsvm]",
        "  # accept: application/json ": "  accept: text/csv; stream=true #",
        "environment: {}": 'environment: {SAGEMAKER_BIND_TO_PORT: "8080", SERVE_LIBSVM_BASE: "1"}',
        "scaling:": "capture:\n  destination: s3://example-models/captured\nscaling:",
    }
    outcome = run("plan", write_config(changes))

    assert outcome.exit_code == 0, outcome.output
    assert "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT: text/csv; stream=true" in outcome.output.replace(
        '"', ""
    )
    assert "SageMaker rejects" not in outcome.output
    assert "warning: capture: Model Monitor cannot use payloads in text/libsvm" in outcome.output


def test_allow_single_zone(run: Run, write_config: Callable[..., Path]) -> None:
    """With compute.allow_single_zone, one instance is accepted."""
    changes = {
        "instance_count: 2": "instance_count: 1\n  allow_single_zone: true",
        "  min: 2": "  min: 1",
    }
    changes["strategy: rolling"] = "strategy: all_at_once"

    assert run("plan", write_config(changes)).exit_code == 0


def test_tarball_as_artifact(run: Run, write_config: Callable[..., Path], tmp_path: Path) -> None:
    """A tar.gz is checked, then uploaded unchanged under the hash of its tar."""
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(ROOT / "model" / "artifact", arcname=".")
    outcome = run("plan", write_config({f"{ROOT}/model/artifact": str(tmp_path / "model.tar.gz")}))

    assert outcome.exit_code == 0, outcome.output
    assert (
        hashlib.sha256(gzip.decompress((tmp_path / "model.tar.gz").read_bytes())).hexdigest()
        in outcome.output
    )


def test_artifact_that_the_server_rejects(
    run: Run, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    """An artifact that the server rejects is not uploaded; the error quotes the server."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model.ubj").write_bytes(b"nothing")
    outcome = run("up", write_config({f"{ROOT}/model/artifact": str(tmp_path / "broken")}))

    assert outcome.exit_code == 1
    assert "model.artifact" in outcome.output
    assert "the server would not start" in outcome.output


def test_artifact_key_ignores_timestamps(
    run: Run, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    """A copy of the artifact with other timestamps has the same S3 key."""
    shutil.copytree(ROOT / "model" / "artifact", tmp_path / "copy", copy_function=shutil.copyfile)
    here, copied = (
        run("plan", write_config()),
        run("plan", write_config({f"{ROOT}/model/artifact": str(tmp_path / "copy")})),
    )

    assert here.exit_code == 0
    assert here.output == copied.output


def test_unknown_region(
    run: Run, write_config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Region that boto3 does not know is only a warning, with the closest match."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    outcome = run("plan", write_config({"eu-central-1": "eu-centrall-1"}))

    assert outcome.exit_code == 0, outcome.output
    assert (
        "region: boto3 does not know SageMaker in eu-centrall-1; did you mean eu-central-1?"
        in outcome.output
    )
