"""Files that plain YAML would misread, and values that AWS or a policy would misinterpret."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.deploy.conftest import Run

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"
MANY_TAGS = "\n".join(f"    t{number}: x" for number in range(46))
# Each key has nine times the elements of the previous one: as text they would fill memory.
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
    (
        "name: a\nregion: b\nname: c",
        'line 3: duplicate key "name", first used on line 1; remove one',
    ),
    ("model:\n  bucket: a\n  'bucket': b", 'line 3: duplicate key "bucket", first used on line 2'),
    ("region: !!int foo", 'line 1: "foo" is not a valid int'),
    ("region: !!bool foo", 'line 1: "foo" is not a valid bool'),
    ("region: !!timestamp 2024-13-45", 'line 1: "2024-13-45" is not a valid timestamp'),
    ("region: !!python/object:os.system x", "line 1: could not determine a constructor"),
    ("name: " + "[" * 5000, "nested too deeply"),
    ("name: " + "9" * 5000, "is not a valid int"),
    ("name: 0x" + "f" * 9000, "number has too many digits"),
    ('name: "a\\0b"', "the string contains a NUL character"),
    ('name: "\\ud800"', "is not a valid str"),
    ("? [a]\n: b", "line 1: expected a string as a key"),
    ("<<: {name: a}", "<<: unknown key"),
    ("name: " + "x" * 1_000_001, "file is larger than 1,000,000 bytes"),
    (BOMB, "name: expected a string, got a list"),
    ("name: &a [*a]", "name: expected a string, got a list"),
    ('"two\\nlines": x', "two\\nlines: unknown key"),
    ("name:\nregion: eu-central-1", "name: missing required key"),
]
ERRORS = [
    ("update:", "kms: {artifact_key: alias/mine}\nupdate:", "kms.artifact_key: expected arn:"),
    ("update:", "kms: {volume_key: 1234abcd-12ab}\nupdate:", "aws kms describe-key"),
    (
        "update:",
        f"kms: {{volume_key: '{KEY.replace('eu-', 'us-')}'}}\nupdate:",
        "kms.volume_key: expected an ARN in eu-central-1 (the value of region), got us-central-1",
    ),
    (
        "instance_count: 2",
        "instance_count: 1\n  allow_single_zone: true",
        "compute.instance_count allows 1; use all_at_once",
    ),
    ("    team: pricing", MANY_TAGS, "metadata.tags: expected at most 45 tags, got 46"),
    ("    team: pricing", "    AWS:team: x", "the prefix AWS: is reserved"),
    ("    team: pricing", "    xgb-endpoint:endpoint: x", "the prefix xgb-endpoint: is reserved"),
    ("    team: pricing", f"    {'k' * 129}: x", "expected a name of 1 to 128 characters"),
    (
        "    team: pricing",
        f"    team: {'x' * 257}",
        "metadata.tags.team: expected a value of at most 256 characters, got 257",
    ),
    (
        "    team: pricing",
        f"    {'k' * 120}: x\n    {'l' * 120}: x\n    {'m' * 120}: x",
        "expected names with at most 256 characters in total, got 366",
    ),
    ("    team: pricing", "    a + b: x", "without a plus sign next to a space"),
    (
        "    team: pricing",
        "    team: a*b",
        "expected letters, digits, spaces and _ . : / = + - @; got *",
    ),
    ("target: 3000", "target: .nan", "scaling.target: expected a finite number, got nan"),
    ("target: 3000", "target: -.inf", "scaling.target: expected a finite number, got -inf"),
    (
        "environment: {}",
        "environment: {A: null}",
        "data_format.environment.A: expected a string, got no value",
    ),
    ("environment: {}", "environment: {'': x}", "missing key before the colon"),
    ("    team: pricing", "    yes: x", "metadata.tags: expected a string as a key, got true"),
    ("environment: {}", "environment: {A-B: x}", 'not starting with a digit; got "A-B"'),
    (
        "instance_count: 2",
        "instance_count: 1000000000",
        "compute.instance_count: expected a whole number from 0 to 10000",
    ),
    ("  max: 6", "  max: 1000000000", "scaling.max: expected a whole number from 1 to 10000"),
    ("role: arn:aws:", "role: arn:aws-cn:", "role: expected an ARN of partition aws, got aws-cn"),
    (
        "role: arn:aws:",
        "role: arn:aws-us-gov:",
        "role: expected an ARN of partition aws, got aws-us-gov",
    ),
    (
        "::123456789012:role",
        "::\u0661\u0662\u0663456789012:role",
        "expected arn:aws:iam::ACCOUNT:role/NAME",
    ),
    ("role/xgb", "role/${aws:username}", "expected arn:aws:iam::ACCOUNT:role/NAME"),
    (
        ".amazonaws.com/",
        ".amazonaws.com.cn/",
        "eu-central-1.amazonaws.com.cn is not a registry of eu-central-1",
    ),
    (
        "bucket: example-models",
        "bucket: s3://example-models",
        "expected a bucket name, without s3://",
    ),
    ("bucket: example-models", "bucket: '*'", "expected a bucket name"),
    ("prefix: xgb-endpoint", "prefix: ''", "model.prefix: "),
    ("prefix: xgb-endpoint", "prefix: /x", "model.prefix: "),
    ("prefix: xgb-endpoint", "prefix: a/../b", "model.prefix: "),
    ("prefix: xgb-endpoint", "prefix: a//b", "model.prefix: "),
    ("prefix: xgb-endpoint", "prefix: '*'", "or * ? $"),
    ("prefix: xgb-endpoint", "prefix: 'a\n\n    b'", '; got "a\\nb"'),
    (
        "names: []",
        "names: ['*']",
        'update.alarms.names[0]: expected an alarm name, without * ? $; got "*"',
    ),
    ("update:", "capture: {destination: 's3://*/x'}\nupdate:", "capture.destination: "),
    ("ml.c6i.large #", "'${aws:username}' #", "compute.instance_type: "),
    ("prefix: xgb-endpoint", f"prefix: {'x' * 701}", "at most 700 characters"),
    ("artifact: ", "artifact: ~nosuchuser", "no home directory for"),
    ("sample: ", "sample: ~nosuchuser", "data_format.sample: no home directory for"),
]


@pytest.mark.parametrize(("text", "words"), DOCUMENTS, ids=[words[:30] for _, words in DOCUMENTS])
def test_rejected_by_strict_yaml(run: Run, tmp_path: Path, text: str, words: str) -> None:
    """Duplicate keys, invalid values and YAML bombs are reported on one line, with position."""
    (tmp_path / "x.yaml").write_text(text)
    outcome = run("iam", tmp_path / "x.yaml")

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert len(outcome.output.strip().splitlines()) == 1
    assert len(outcome.output) < 1000


@pytest.mark.parametrize(
    ("old", "new", "words"), ERRORS, ids=[words[:40] for _, _, words in ERRORS]
)
def test_rejected_before_aws(
    run: Run, write_config: Callable[..., Path], old: str, new: str, words: str
) -> None:
    """Values that AWS rejects late, and wildcards in policies, are errors that name the key."""
    outcome = run("iam", write_config({old: new}))

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert len(outcome.output.strip().splitlines()) == 1


def test_control_characters_are_escaped(run: Run, write_config: Callable[..., Path]) -> None:
    """Control characters of the file are escaped in messages."""
    outcome = run("plan", write_config({"artifact: ": 'artifact: "/none/\\a" #'}))

    assert outcome.exit_code == 1
    assert "\a" not in outcome.output


@pytest.mark.parametrize("strategy", ["rolling", "canary", "linear"])
def test_single_instance_requires_all_at_once(
    run: Run, write_config: Callable[..., Path], strategy: str
) -> None:
    """With one instance only all_at_once is accepted: other steps are at most half of them."""
    changes = {
        "instance_count: 2": "instance_count: 2\n  allow_single_zone: true",
        "  min: 2": "  min: 1",
    }
    refused = run("iam", write_config({**changes, "strategy: rolling": f"strategy: {strategy}"}))

    assert f"update.strategy: {strategy} requires at least 2 instances" in refused.output
    assert "scaling.min allows 1; use all_at_once" in refused.output
    assert (
        run(
            "iam", write_config({**changes, "strategy: rolling": "strategy: all_at_once"})
        ).exit_code
        == 0
    )


def test_dates_are_text(run: Run, write_config: Callable[..., Path]) -> None:
    """A version such as 2024-01-31 needs no quotes."""
    outcome = run("plan", write_config({"version: 1.0.0": "version: 2024-01-31"}))

    assert outcome.exit_code == 0, outcome.output
    assert "diamonds-2024-01-31-" in outcome.output


@pytest.mark.parametrize("null", ["null", "~"])
def test_null_disables(run: Run, write_config: Callable[..., Path], null: str) -> None:
    """An explicit null disables an alarm or section; a key without a value has its default."""
    changes = {"errors_5xx: 5": f"errors_5xx: {null}", "latency_p99_ms: 500": "latency_p99_ms:"}
    outcome = run("plan", write_config({**changes, "\nupdate:": f"\ncapture: {null}\nupdate:"}))

    assert outcome.exit_code == 0, outcome.output
    assert "diamonds-errors-5xx" not in outcome.output
    assert "diamonds-latency-p99" in outcome.output
    assert "DataCaptureConfig" not in outcome.output


def test_null_disables_serverless(run: Run, write_config: Callable[..., Path]) -> None:
    """`serverless: null` keeps the instances; `serverless:` alone enables it with defaults."""
    off = run("plan", write_config({"instance_count: 2": "instance_count: 2\n  serverless: null"}))
    on = run("plan", write_config({"instance_count: 2": "serverless:"}))

    assert '"InitialInstanceCount": 2' in off.output
    assert "serverless endpoints scale automatically" in on.output


def test_policies_follow_aws_documentation(run: Run, write_config: Callable[..., Path]) -> None:
    """Policies allow scaling, both namespaces of SageMaker's metrics, and KMS keys by ARN."""
    config_file = write_config({"\nupdate:": f"\nkms: {{artifact_key: '{KEY}'}}\nupdate:"})
    policies = json.loads(run("iam", config_file).output)
    deployment, execution = policies["deployment"]["Statement"], policies["execution"]["Statement"]
    endpoint = next(
        statement
        for statement in deployment
        if "sagemaker:UpdateEndpointWeightsAndCapacities" in statement["Action"]
    )
    metrics = next(
        statement for statement in execution if statement["Action"] == ["cloudwatch:PutMetricData"]
    )

    assert "arn:aws:sagemaker:eu-central-1:123456789012:endpoint/diamonds" in endpoint["Resource"]
    assert metrics["Condition"] == {
        "StringEquals": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/Endpoints"]}
    }
    assert [
        statement["Resource"]
        for statement in deployment
        if "kms:CreateGrant" in statement["Action"]
    ] == [[KEY]]
