"""The configuration of an endpoint: what its file may say, each key with its meaning."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.config import patterns

MOST_INSTANCES = 10_000  # no quota of AWS's: what is more is a slip of the hand
A_DAY = 86_400


def _key(meaning: str, default: Any = None, **limits: Any) -> Any:
    return field(default=default, metadata={"meaning": meaning, **limits})


def _map(meaning: str) -> Any:
    return field(default_factory=dict, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What is served."""

    artifact: Path = field(
        metadata={
            "meaning": "the folder of the artifact, or its `.tar.gz`; a relative path starts at this file"
        }
    )
    bucket: str = field(
        metadata={
            "meaning": "the bucket that it is uploaded to; it must exist, in the same region",
            **patterns.BUCKET_NAME,
        }
    )
    prefix: str = _key(
        "what the keys of uploaded artifacts begin with", "xgb-endpoint", **patterns.KEY_PREFIX
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFormat:
    """What goes in and comes out."""

    content_types: tuple[str, ...] = _key(
        "the media types that callers send", ("text/csv", "application/json")
    )
    accept: str | None = _key("the reply's media type where a caller leaves it open")
    environment: Mapping[str, str] = _map(
        "the container's environment variables, as in the README; nothing secret"
    )
    sample: Path | None = _key(
        "a payload (`.csv`, `.json`, `.jsonl`) that `up` sends to see whether the endpoint answers as it should"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What tells this endpoint and its versions apart."""

    version: str = _key("the version of the model; part of the names", "0", **patterns.VERSION)
    tags: Mapping[str, str] = _map("tags on all that is made but what is put into S3; 45 at most")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serverless:
    """Compute that starts on demand."""

    memory_mb: int = _key(
        "memory: 1024, 2048, 3072, 4096, 5120 or 6144",
        2048,
        choices=(1024, 2048, 3072, 4096, 5120, 6144),
    )
    max_concurrency: int = _key("how many invocations run at once", 20, least=1, most=200)
    provisioned_concurrency: int | None = _key("how many are kept warm", least=1, most=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asynchronous:
    """Responder that are queued, with payloads and replies in S3."""

    output: str = field(metadata={"meaning": "where replies go", **patterns.S3_URI})
    failure: str | None = _key("where the errors of failed invocations go", **patterns.S3_URI)
    max_concurrent_invocations: int | None = _key(
        "how many invocations an instance is sent at once", least=1, most=1000
    )
    success_topic: str | None = _key("the SNS topic that hears of replies", **patterns.TOPIC_ARN)
    error_topic: str | None = _key("the SNS topic that hears of failures", **patterns.TOPIC_ARN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """What it runs on."""

    instance_type: str = _key("the machine", "ml.c6i.large", **patterns.INSTANCE_TYPE)
    instance_count: int = _key(
        "how many at first, and always without scaling", 2, least=0, most=MOST_INSTANCES
    )
    allow_single_zone: bool = _key(
        "for development: accept settings that put everything into one Availability Zone",
        default=False,
    )
    startup_timeout_seconds: int | None = _key(
        "how long a container may take to answer its first ping", least=60, most=3600
    )
    serverless: Serverless | None = _key("in place of instances")
    asynchronous: Asynchronous | None = _key("with instances: invocations are queued")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The VPC that it runs in, if any."""

    subnets: tuple[str, ...] = _key(
        "subnets of the containers, in two Availability Zones at least", ()
    )
    security_groups: tuple[str, ...] = _key("their security groups", ())
    isolation: bool = _key("whether the container gets no network at all", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """The number of instances follows the load."""

    max: int = field(metadata={"meaning": "the most instances", "least": 1, "most": MOST_INSTANCES})
    target: float = field(metadata={"meaning": "the value of the metric that is held"})
    min: int = _key(
        "the fewest instances; 0 only for asynchronous endpoints", 2, least=0, most=MOST_INSTANCES
    )
    metric: str = _key(
        "`invocations_per_instance` (a minute), `concurrent_requests_per_model` (reacts sooner), or for asynchronous endpoints "
        "`backlog_per_instance`",
        "invocations_per_instance",
        choices=(
            "invocations_per_instance",
            "concurrent_requests_per_model",
            "backlog_per_instance",
        ),
    )
    scale_in_cooldown_seconds: int = _key(
        "the wait after instances were taken away", 300, least=0, most=A_DAY
    )
    scale_out_cooldown_seconds: int = _key(
        "the wait after instances were added", 60, least=0, most=A_DAY
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """What rolls an update back."""

    errors_5xx: int | None = _key(
        "as many replies with a 5xx status in a minute; `null`: no such alarm",
        5,
        least=1,
        most=10**9,
    )
    latency_p99_ms: int | None = _key(
        "the 99th percentile of the model's latency, for three minutes; `null`: no such alarm",
        500,
        least=1,
        most=3_600_000,
    )
    names: tuple[str, ...] = _key("further alarms that exist already", (), **patterns.ALARM_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """How a new configuration takes over."""

    strategy: str = _key(
        "`rolling` (in batches), `canary` (some first, then all), `linear` (in equal steps) or `all_at_once`; "
        "all but the first need twice the instances meanwhile",
        "rolling",
        choices=("rolling", "canary", "linear", "all_at_once"),
    )
    step_percent: int = _key(
        "the size of the batch, the canary or the step; rolling takes from 5, linear from 10",
        50,
        least=1,
        most=50,
    )
    wait_seconds: int = _key(
        "how long the alarms are watched after each step", 300, least=0, most=3600
    )
    termination_wait_seconds: int = _key(
        "how long the old instances stay, but for rolling", 0, least=0, most=3600
    )
    timeout_seconds: int = _key("how long the whole update may take", 3600, least=600, most=28800)
    alarms: Alarms = field(default_factory=Alarms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Payloads and replies are kept in S3."""

    destination: str = field(metadata={"meaning": "where they are kept", **patterns.S3_URI})
    percent: int = _key("of how many invocations", 100, least=1, most=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kms:
    """Keys that encrypt."""

    artifact_key: str | None = _key(
        "the uploaded artifact, and what is captured", **patterns.KMS_KEY_ARN
    )
    volume_key: str | None = _key("the instances' volumes", **patterns.KMS_KEY_ARN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """An endpoint."""

    name: str = field(
        metadata={
            "meaning": "the endpoint's name; all that is made begins with it",
            **patterns.ENDPOINT_NAME,
        }
    )
    region: str = field(metadata={"meaning": "of endpoint, image and bucket", **patterns.REGION})
    role: str = field(metadata={"meaning": "the ARN of the execution role", **patterns.ROLE_ARN})
    image: str = field(
        metadata={
            "meaning": "the image in ECR, by its digest as `make push` prints it",
            **patterns.IMAGE_URI,
        }
    )
    model: Model
    data_format: DataFormat = field(default_factory=DataFormat)
    metadata: Metadata = field(default_factory=Metadata)
    compute: Compute = field(default_factory=Compute)
    network: Network = field(default_factory=Network)
    scaling: Scaling | None = None
    update: Update = field(default_factory=Update)
    capture: Capture | None = None
    kms: Kms = field(default_factory=Kms)
