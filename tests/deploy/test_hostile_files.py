"""Files that YAML would take silently, or that would reach AWS or a policy as what they do not say."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.deploy.conftest import Run

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"
MANY_TAGS = "\n".join(f"    t{number}: x" for number in range(46))
# Each key has nine times what the one before has; shown as text they would fill the memory.
NAMES = [
    "region",
    "role",
    "image",
    "model",
    "data_format",
    "metadata",
    "compute",
    "network",
    "scaling",
    "name",
]
BOMB = "region: &region [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise(NAMES)
)
DOCUMENTS = [
    ("name: a\nregion: b\nname: c", "line 3: the key name is given twice, first in line 1: take one out"),
    ("model:\n  bucket: a\n  'bucket': b", "line 3: the key bucket is given twice, first in line 2"),
    ("region: !!int foo", "line 1: foo cannot be read as int"),
    ("region: !!bool foo", "line 1: foo cannot be read as bool"),
    ("region: !!timestamp 2024-13-45", "line 1: 2024-13-45 cannot be read as timestamp"),
    ("region: !!python/object:os.system x", "line 1: could not determine a constructor"),
    ("name: " + "[" * 5000, "nested too deeply"),
    ("name: " + "9" * 5000, "cannot be read as int"),
    ("name: 0x" + "f" * 9000, "a number has more digits than any key takes"),
    ('name: "a\\0b"', "a text has a NUL character"),
    ('name: "\\ud800"', "cannot be read as str"),
    ("? [a]\n: b", "line 1: a key is a word"),
    ("<<: {name: a}", "<<: unknown key"),
    ("name: " + "x" * 1_000_001, "more than a megabyte"),
    (BOMB, "name: expected text, not a list"),
    ("name: &a [*a]", "name: expected text, not a list"),
    ('"two\\nlines": x', "two\\nlines: unknown key"),
    ("name:\nregion: eu-central-1", "name: missing"),
]  # fmt: skip
FAULTS = [
    ("update:", "kms: {artifact_key: alias/mine}\nupdate:", 'kms.artifact_key: "alias/mine" does not fit: expected arn:'),
    ("update:", "kms: {volume_key: 1234abcd-12ab}\nupdate:", "aws kms describe-key"),
    ("update:", f"kms: {{volume_key: '{KEY.replace('eu-', 'us-')}'}}\nupdate:", "kms.volume_key: is in us-central-1"),
    ("instance_count: 2", "instance_count: 1\n  allow_single_zone: true", "compute.instance_count allows 1: use all_at_once"),
    ("    team: pricing", MANY_TAGS, "metadata.tags: 46 are more than fit, 45"),
    ("    team: pricing", "    AWS:team: x", "what begins with AWS: is not yours to give"),
    ("    team: pricing", "    xgb-endpoint:endpoint: x", "what begins with xgb-endpoint: is not yours to give"),
    ("    team: pricing", f"    {'k' * 129}: x", "from 1 to 128 characters"),
    ("    team: pricing", f"    team: {'x' * 257}", "metadata.tags.team: a value has at most 256 characters, not 257"),
    ("    team: pricing", f"    {'k' * 120}: x\n    {'l' * 120}: x\n    {'m' * 120}: x", "the names together have 366 characters"),
    ("    team: pricing", "    a + b: x", "no plus beside a space"),
    ("    team: pricing", "    team: a*b", "* cannot be in a tag"),
    ("target: 3000", "target: .nan", "scaling.target: expected a number, not nan"),
    ("target: 3000", "target: -.inf", "scaling.target: expected a number, not -inf"),
    ("environment: {}", "environment: {A: null}", "data_format.environment.A: expected text, not nothing"),
    ("environment: {}", "environment: {'': x}", "a key is missing before the colon"),
    ("    team: pricing", "    yes: x", "metadata.tags: expected text as a key, not true"),
    ("environment: {}", "environment: {A-B: x}", '"A-B" is no name of a variable'),
    ("instance_count: 2", "instance_count: 1000000000", "compute.instance_count: expected a whole number from 0 to 10000"),
    ("  max: 6", "  max: 1000000000", "scaling.max: expected a whole number from 1 to 10000"),
    ("role: arn:aws:", "role: arn:aws-cn:", "role: is of aws-cn, and the region eu-central-1 is of aws"),
    ("role: arn:aws:", "role: arn:aws-us-gov:", "role: is of aws-us-gov"),
    ("::123456789012:role", "::\u0661\u0662\u0663456789012:role", "expected arn:aws:iam::ACCOUNT:role/NAME"),
    ("role/xgb", "role/${aws:username}", "expected arn:aws:iam::ACCOUNT:role/NAME"),
    (".amazonaws.com/", ".amazonaws.com.cn/", "eu-central-1.amazonaws.com.cn is no host of eu-central-1"),
    ("bucket: example-models", "bucket: s3://example-models", "the bucket's name alone, without s3://"),
    ("bucket: example-models", "bucket: '*'", "the bucket's name alone"),
    ("prefix: xgb-endpoint", "prefix: ''", "model.prefix: "),
    ("prefix: xgb-endpoint", "prefix: /x", "model.prefix: "),
    ("prefix: xgb-endpoint", "prefix: a/../b", "model.prefix: "),
    ("prefix: xgb-endpoint", "prefix: a//b", "model.prefix: "),
    ("prefix: xgb-endpoint", "prefix: '*'", "without * ? $"),
    ("prefix: xgb-endpoint", "prefix: 'a\n\n    b'", '"a\\nb" does not fit'),
    ("names: []", "names: ['*']", 'update.alarms.names[0]: "*" does not fit'),
    ("update:", "capture: {destination: 's3://*/x'}\nupdate:", "capture.destination: "),
    ("ml.c6i.large #", "'${aws:username}' #", "compute.instance_type: "),
    ("prefix: xgb-endpoint", f"prefix: {'x' * 701}", "at most 700 characters"),
    ("artifact: ", "artifact: ~nosuchuser", "there is no such home"),
    ("sample: ", "sample: ~nosuchuser", "data_format.sample: ~nosuchuser"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), DOCUMENTS, ids=[words[:30] for _, words in DOCUMENTS])
def test_what_yaml_would_take(run: Run, tmp_path: Path, text: str, words: str) -> None:
    """Keys given twice, impossible values and files that would exhaust the machine are one line that names the place."""
    (tmp_path / "x.yaml").write_text(text)
    outcome = run("iam", tmp_path / "x.yaml")

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert len(outcome.output.strip().splitlines()) == 1
    assert len(outcome.output) < 1000


@pytest.mark.parametrize(
    ("old", "new", "words"), FAULTS, ids=[words[:40] for _, _, words in FAULTS]
)
def test_what_aws_or_a_policy_would_misread(
    run: Run, write_config: Callable[..., Path], old: str, new: str, words: str
) -> None:
    """What AWS refuses late, and what a policy would read as a wildcard, is one line that names the key."""
    outcome = run("iam", write_config({old: new}))

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert len(outcome.output.strip().splitlines()) == 1


def test_a_path_that_would_paint_the_terminal(run: Run, write_config: Callable[..., Path]) -> None:
    """What would tell a terminal what to do is shown as what it is."""
    outcome = run("plan", write_config({"artifact: ": 'artifact: "/none/\\a" #'}))

    assert outcome.exit_code == 1
    assert "\a" not in outcome.output


@pytest.mark.parametrize("strategy", ["rolling", "canary", "linear"])
def test_one_instance_has_no_half(
    run: Run, write_config: Callable[..., Path], strategy: str
) -> None:
    """Where one instance may be all, only all_at_once is taken, since AWS's other steps are at most half of them."""
    changes = {
        "instance_count: 2": "instance_count: 2\n  allow_single_zone: true",
        "  min: 2": "  min: 1",
    }
    refused = run("iam", write_config({**changes, "strategy: rolling": f"strategy: {strategy}"}))

    assert f"update.strategy: {strategy} goes in steps" in refused.output
    assert "of which scaling.min allows 1: use all_at_once" in refused.output
    assert (
        run(
            "iam", write_config({**changes, "strategy: rolling": "strategy: all_at_once"})
        ).exit_code
        == 0
    )


def test_what_looks_like_a_date_is_text(run: Run, write_config: Callable[..., Path]) -> None:
    """A version such as 2024-01-31 needs no quotes."""
    outcome = run("plan", write_config({"version: 1.0.0": "version: 2024-01-31"}))

    assert outcome.exit_code == 0, outcome.output
    assert "diamonds-2024-01-31-" in outcome.output


@pytest.mark.parametrize("null", ["null", "~"])
def test_null_switches_off(run: Run, write_config: Callable[..., Path], null: str) -> None:
    """A written null is no alarm, and no section; a key without a value has its default."""
    changes = {"errors_5xx: 5": f"errors_5xx: {null}", "latency_p99_ms: 500": "latency_p99_ms:"}
    outcome = run("plan", write_config({**changes, "\nupdate:": f"\ncapture: {null}\nupdate:"}))

    assert outcome.exit_code == 0, outcome.output
    assert "diamonds-errors-5xx" not in outcome.output
    assert "diamonds-latency-p99" in outcome.output
    assert "DataCaptureConfig" not in outcome.output


def test_null_of_serverless_is_off(run: Run, write_config: Callable[..., Path]) -> None:
    """serverless: null leaves the instances; serverless: alone, with nothing beneath, has all its defaults."""
    off = run("plan", write_config({"instance_count: 2": "instance_count: 2\n  serverless: null"}))
    on = run("plan", write_config({"instance_count: 2": "serverless:"}))

    assert '"InitialInstanceCount": 2' in off.output
    assert "a serverless endpoint scales by itself" in on.output


def test_policies_name_what_aws_documents(run: Run, write_config: Callable[..., Path]) -> None:
    """Scaling needs UpdateEndpointWeightsAndCapacities; SageMaker writes its metrics into two namespaces; keys are ARNs."""
    config_file = write_config({"\nupdate:": f"\nkms: {{artifact_key: '{KEY}'}}\nupdate:"})
    policies = json.loads(run("iam", config_file).output)
    deployment, execution = policies["deployment"]["Statement"], policies["execution"]["Statement"]
    endpoint = next(
        one for one in deployment if "sagemaker:UpdateEndpointWeightsAndCapacities" in one["Action"]
    )
    metrics = next(one for one in execution if one["Action"] == ["cloudwatch:PutMetricData"])

    assert "arn:aws:sagemaker:eu-central-1:123456789012:endpoint/diamonds" in endpoint["Resource"]
    assert metrics["Condition"] == {
        "StringEquals": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/Endpoints"]}
    }
    assert [one["Resource"] for one in deployment if "kms:CreateGrant" in one["Action"]] == [[KEY]]
