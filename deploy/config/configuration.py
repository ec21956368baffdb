"""Defines the sections and keys of endpoint.yaml, each key with its default, limits and meaning."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.config import patterns

MAX_INSTANCES = 10_000  # not an AWS quota: a larger number is a typo
DAY_SECONDS = 86_400


def _key(meaning: str, default: Any = None, **limits: Any) -> Any:
    return field(default=default, metadata={"meaning": meaning, **limits})


def _required(meaning: str, **limits: Any) -> Any:
    return field(metadata={"meaning": meaning, **limits})


def _mapping(meaning: str) -> Any:
    return field(default_factory=dict, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The model artifact, and where it is uploaded."""

    artifact: Path = _required(
        "path of the artifact's folder or `.tar.gz`; relative paths start at this file"
    )
    bucket: str = _required(
        "S3 bucket for the artifact; must already exist, in `region`", **patterns.BUCKET_NAME
    )
    prefix: str = _key("key prefix of all uploads", "xgb-endpoint", **patterns.KEY_PREFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFormat:
    """The media types of payloads and responses, and the container's environment."""

    content_types: tuple[str, ...] = _key(
        "media types of the payloads that callers send", ("text/csv", "application/json")
    )
    accept: str | None = _key(
        "media type of the response when the Accept header is missing or `*/*`, also with "
        "parameters, such as `text/csv; stream=true`"
    )
    environment: Mapping[str, str] = _mapping(
        "environment variables of the container, as in docs/settings.md; no secrets"
    )
    sample: Path | None = _key(
        "payload file (`.csv`, `.json` or `.jsonl`) for the smoke test that ends `up`"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The version of the model, and the tags of its resources."""

    version: str = _key(
        "version of the model; part of the model's and endpoint config's names",
        "0",
        **patterns.VERSION,
    )
    tags: Mapping[str, str] = _mapping("tags for all resources except S3 objects; at most 45")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serverless:
    """Serverless inference, in place of instances."""

    memory_mb: int = _key(
        "memory in MB: 1024, 2048, 3072, 4096, 5120 or 6144",
        2048,
        choices=(1024, 2048, 3072, 4096, 5120, 6144),
    )
    max_concurrency: int = _key("maximum number of concurrent invocations", 20, min=1, max=200)
    provisioned_concurrency: int | None = _key(
        "number of invocations for which capacity stays warm", min=1, max=200
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asynchronous:
    """Asynchronous inference: invocations are queued, payloads and responses are in S3."""

    output: str = _required("S3 URI under which responses are stored", **patterns.S3_URI)
    failure: str | None = _key(
        "S3 URI under which the errors of failed invocations are stored", **patterns.S3_URI
    )
    max_concurrent_invocations: int | None = _key(
        "maximum number of concurrent invocations per instance", min=1, max=1000
    )
    success_topic: str | None = _key(
        "ARN of the SNS topic notified of successful invocations", **patterns.TOPIC_ARN
    )
    error_topic: str | None = _key(
        "ARN of the SNS topic notified of failed invocations", **patterns.TOPIC_ARN
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """The instances, or the serverless or asynchronous alternative."""

    instance_type: str = _key("ML instance type", "ml.c6i.large", **patterns.INSTANCE_TYPE)
    instance_count: int = _key(
        "initial number of instances; also the final one without `scaling`",
        2,
        min=0,
        max=MAX_INSTANCES,
    )
    allow_single_zone: bool = _key(
        "for development: accept settings that use a single Availability Zone", default=False
    )
    startup_timeout_seconds: int | None = _key(
        "time a container has to pass its first health check", min=60, max=3600
    )
    serverless: Serverless | None = _key("serverless inference, in place of instances")
    asynchronous: Asynchronous | None = _key("asynchronous inference, on instances")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The VPC of the containers, and their network isolation."""

    subnets: tuple[str, ...] = _key(
        "IDs of the VPC subnets, in at least two Availability Zones", ()
    )
    security_groups: tuple[str, ...] = _key("IDs of the VPC security groups", ())
    isolation: bool = _key("whether containers run without network access", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """Target tracking: Application Auto Scaling adjusts the number of instances to the load."""

    max: int = _required("maximum number of instances", min=1, max=MAX_INSTANCES)
    target: float = _required("target value of the metric")
    min: int = _key(
        "minimum number of instances; 0 only for asynchronous endpoints",
        2,
        min=0,
        max=MAX_INSTANCES,
    )
    metric: str = _key(
        "`invocations_per_instance` (per minute), `concurrent_requests_per_model` "
        "(reacts faster), or `backlog_per_instance` (asynchronous endpoints only)",
        "invocations_per_instance",
        choices=(
            "invocations_per_instance",
            "concurrent_requests_per_model",
            "backlog_per_instance",
        ),
    )
    scale_in_cooldown_seconds: int = _key(
        "cooldown after a scale-in activity", 300, min=0, max=DAY_SECONDS
    )
    scale_out_cooldown_seconds: int = _key(
        "cooldown after a scale-out activity", 60, min=0, max=DAY_SECONDS
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """The CloudWatch alarms that roll an update back."""

    errors_5xx: int | None = _key(
        "alarm threshold: responses with a 5xx status per minute; `null` for no alarm",
        5,
        min=1,
        max=10**9,
    )
    latency_p99_ms: int | None = _key(
        "alarm threshold: 99th percentile of model latency in ms, for 3 minutes; "
        "`null` for no alarm",
        500,
        min=1,
        max=3_600_000,
    )
    names: tuple[str, ...] = _key(
        "names of existing alarms that also roll an update back", (), **patterns.ALARM_NAME
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """The deployment strategy of an update."""

    strategy: str = _key(
        "`rolling` (in batches), `canary` (a part first, then the rest), `linear` (in equal "
        "steps) or `all_at_once`; all except `rolling` double the instances during the update",
        "rolling",
        choices=("rolling", "canary", "linear", "all_at_once"),
    )
    step_percent: int = _key(
        "size of a batch, canary or step in percent of capacity; at least 5 for `rolling`, "
        "10 for `linear`",
        50,
        min=1,
        max=50,
    )
    wait_seconds: int = _key(
        "time after each step during which the alarms are monitored", 300, min=0, max=3600
    )
    termination_wait_seconds: int = _key(
        "time before the old instances are terminated; not for `rolling`", 0, min=0, max=3600
    )
    timeout_seconds: int = _key("maximum duration of an update", 3600, min=600, max=28800)
    alarms: Alarms = field(default_factory=Alarms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Data capture: payloads and responses are stored in S3."""

    destination: str = _required(
        "S3 URI under which captured payloads and responses are stored", **patterns.S3_URI
    )
    percent: int = _key("percentage of invocations to capture", 100, min=1, max=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kms:
    """The KMS keys."""

    artifact_key: str | None = _key(
        "ARN of the KMS key that encrypts uploads and captured data", **patterns.KMS_KEY_ARN
    )
    volume_key: str | None = _key(
        "ARN of the KMS key that encrypts the instances' storage volumes", **patterns.KMS_KEY_ARN
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The desired endpoint, as endpoint.yaml describes it."""

    name: str = _required(
        "name of the endpoint; the names of its model, endpoint config and alarms begin with it",
        **patterns.ENDPOINT_NAME,
    )
    region: str = _required("AWS Region of the endpoint, image and bucket", **patterns.REGION)
    role: str = _required("ARN of the execution role", **patterns.ROLE_ARN)
    image: str = _required(
        "image URI in ECR with a digest, as printed by `make push`", **patterns.IMAGE_URI
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
