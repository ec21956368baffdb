"""What the keys of a configuration ask of each other, first of all that not everything is in one zone."""

import re
import unicodedata
from collections.abc import Iterator

import botocore.session
from botocore.exceptions import UnknownRegionError

from deploy.config.configuration import Configuration
from deploy.config.naming import (
    OWNER_TAG,
    PREVIOUS_CONFIG_TAG,
    SERVING_CONFIG_TAG,
    TAG_NAME_SEPARATOR,
    TAG_NAMES_TAG,
    VERSION_TAG,
)
from serve.codecs import CODECS, DECODERS
from serve.settings import VARIABLES, misspelt

MOST_TAGS = 50 - len(
    (OWNER_TAG, PREVIOUS_CONFIG_TAG, SERVING_CONFIG_TAG, VERSION_TAG, TAG_NAMES_TAG)
)  # AWS takes 50, of which this program needs some
MOST_IN_KEY, MOST_IN_VALUE = 128, 256
SINGLE_ZONE_HINT = "(for development, compute.allow_single_zone: true accepts it)"


def find_conflicts(configuration: Configuration) -> list[str]:
    """Return what does not go together, each with its key and the fix."""
    return [
        *_formats(configuration),
        *_environment(configuration),
        *_zones(configuration),
        *_compute(configuration),
        *_scaling(configuration),
        *_update(configuration),
        *_region(configuration),
        *_tags(configuration),
    ]


def instance_architecture(instance_type: str) -> str:
    """Return the processor that an instance type has; Graviton's families end in g and what follows it, as in c7g and m6gd."""
    family = instance_type.split(".")[1] if instance_type.count(".") == 2 else instance_type  # noqa: PLR2004 - ml.FAMILY.SIZE
    return "arm64" if re.fullmatch(r"[a-z]+\d+g[a-z]*", family) else "amd64"


def _formats(configuration: Configuration) -> Iterator[str]:
    formats = configuration.data_format
    for media_type in formats.content_types:
        if media_type.partition(";")[0].strip() not in DECODERS:
            yield f"data_format.content_types: the server does not read {media_type[:60]}: choose of {', '.join(DECODERS)}"
    if not formats.content_types:
        yield "data_format.content_types: empty: name at least one, such as text/csv"
    if formats.accept and formats.accept.partition(";")[0].strip() not in CODECS:
        yield f"data_format.accept: the server does not write {formats.accept[:60]}: choose of {', '.join(CODECS)}"
    if formats.accept and "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT" in formats.environment:
        yield "data_format.accept: said twice: take SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT out of data_format.environment"
    if formats.environment.get("SAGEMAKER_BIND_TO_PORT", "8080") != "8080":
        yield "data_format.environment.SAGEMAKER_BIND_TO_PORT: SageMaker asks port 8080: take it out"


def _environment(configuration: Configuration) -> Iterator[str]:
    environment = configuration.data_format.environment
    meant_by = misspelt(environment)
    for name in sorted(environment.keys() - VARIABLES):
        if name in meant_by or name.startswith("SERVE_"):  # others may be another program's
            meant = (
                f"did you mean {meant_by[name]}?"
                if name in meant_by
                else "see the README for those that it knows"
            )
            yield f"data_format.environment.{name[:60]}: the server does not know this variable: {meant}"
    for name in environment:
        if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]{0,1023}", name):
            yield f'data_format.environment: "{name[:60]}" is no name of a variable: letters, digits and _, no digit first'


def _zones(configuration: Configuration) -> Iterator[str]:
    compute, scaling = configuration.compute, configuration.scaling
    if compute.allow_single_zone or compute.serverless:
        return
    if compute.instance_count < 2:  # noqa: PLR2004 - two zones need two instances
        yield f"compute.instance_count: {compute.instance_count} puts all into one Availability Zone: use 2 or more {SINGLE_ZONE_HINT}"
    from_zero = (
        compute.asynchronous and scaling and scaling.min == 0
    )  # what is queued waits for an instance, in whichever zone
    if scaling and scaling.min < 2 and not from_zero:  # noqa: PLR2004 - the same
        yield f"scaling.min: {scaling.min} may leave everything in one Availability Zone: use 2 or more {SINGLE_ZONE_HINT}"
    if len(set(configuration.network.subnets)) == 1:
        yield f"network.subnets: one subnet is one Availability Zone: add one in another zone {SINGLE_ZONE_HINT}"


def _compute(configuration: Configuration) -> Iterator[str]:
    compute, network = configuration.compute, configuration.network
    if compute.serverless and compute.asynchronous:
        yield "compute: serverless and asynchronous exclude each other: take one out"
    if compute.instance_count < 1 and not compute.serverless:
        yield "compute.instance_count: 0 serves nothing: an asynchronous endpoint scales to 0 by scaling.min"
    if compute.serverless and (
        network.subnets
        or network.isolation
        or configuration.capture
        or configuration.kms.volume_key
    ):
        yield "compute.serverless: works without network, capture and kms.volume_key: take these out"
    provisioned = compute.serverless and compute.serverless.provisioned_concurrency
    if compute.serverless and provisioned and provisioned > compute.serverless.max_concurrency:
        yield "compute.serverless.provisioned_concurrency: more than max_concurrency: lower it"
    if bool(network.subnets) != bool(network.security_groups):
        yield "network: subnets and security_groups go together: name both, or neither"


def _scaling(configuration: Configuration) -> Iterator[str]:
    compute, scaling = configuration.compute, configuration.scaling
    if scaling is None:
        return
    if compute.serverless:
        yield "scaling: a serverless endpoint scales by itself: take scaling out"
    if scaling.max < scaling.min:
        yield f"scaling.max: {scaling.max} is less than scaling.min, {scaling.min}"
    if scaling.target <= 0:
        yield "scaling.target: expected a number above 0"
    if scaling.min == 0 and not compute.asynchronous:
        yield "scaling.min: only an asynchronous endpoint scales to 0: use 1 or more, or compute.serverless"
    if (scaling.metric == "backlog_per_instance") != bool(compute.asynchronous):
        why = "not for asynchronous endpoints: write backlog_per_instance"
        if not compute.asynchronous:
            why = "for asynchronous endpoints alone: write invocations_per_instance"
        yield f"scaling.metric: {scaling.metric} is {why}"
    if compute.instance_type.startswith("ml.t2."):
        yield "compute.instance_type: t2 cannot be scaled: use another, such as ml.c6i.large, or take scaling out"


def _update(configuration: Configuration) -> Iterator[str]:
    update, compute, scaling = configuration.update, configuration.compute, configuration.scaling
    fewest = min(compute.instance_count, scaling.min if scaling else compute.instance_count)
    if update.strategy != "all_at_once" and fewest < 2 and not compute.serverless:  # noqa: PLR2004 - half of one is none
        key = "scaling.min" if scaling and scaling.min == fewest else "compute.instance_count"
        yield (
            f"update.strategy: {update.strategy} goes in steps of at most half of the instances, of which {key} allows {fewest}: "
            "use all_at_once, or 2 or more instances"
        )
    least = {"rolling": 5, "linear": 10}.get(update.strategy, 1)
    if update.step_percent < least:
        yield f"update.step_percent: {update.strategy} takes from {least} to 50"
    steps = {
        "rolling": -(-100 // update.step_percent),
        "linear": -(-100 // update.step_percent),
        "canary": 2,
    }.get(update.strategy, 1)
    waits = steps * update.wait_seconds + update.termination_wait_seconds
    if waits >= update.timeout_seconds:
        yield f"update.timeout_seconds: {update.timeout_seconds} is not above the waits together, {waits}: raise it"
    if (
        len(update.alarms.names)
        + bool(update.alarms.errors_5xx)
        + bool(update.alarms.latency_p99_ms)
        > 10  # noqa: PLR2004
    ):
        yield "update.alarms.names: an update takes at most 10 alarms: name fewer"


def _region(configuration: Configuration) -> Iterator[str]:
    region, partition = configuration.region, _partition_of(configuration.region)
    host = configuration.image.partition("/")[0]
    if host.split(".")[3] != region:
        yield f"image: is in {host.split('.')[3]}, and the key region says {region}: push the image there, or change the region"
    elif host.endswith(".cn") != (partition == "aws-cn"):
        yield f"image: {host} is no host of {region}: take what make push prints"
    asynchronous, kms = configuration.compute.asynchronous, configuration.kms
    arns = {
        "role": configuration.role,
        "kms.artifact_key": kms.artifact_key,
        "kms.volume_key": kms.volume_key,
    }
    if asynchronous:
        arns["compute.asynchronous.success_topic"] = asynchronous.success_topic
        arns["compute.asynchronous.error_topic"] = asynchronous.error_topic
    for key, arn in arns.items():
        _, where, _, place, _ = (arn or f"arn:{partition}:::").split(":", 4)
        if partition and where != partition:
            yield f"{key}: is of {where}, and the region {region} is of {partition}: use one of there"
        if place not in ("", region):
            yield f"{key}: is in {place}, and the key region says {region}: use one there"


def _partition_of(region: str) -> str | None:
    try:
        return str(botocore.session.get_session().get_partition_for_region(region))
    except UnknownRegionError:  # it may be newer than this boto3
        return None


def _tags(configuration: Configuration) -> Iterator[str]:
    tags = configuration.metadata.tags
    if len(tags) > MOST_TAGS:
        yield f"metadata.tags: {len(tags)} are more than fit, {MOST_TAGS} beside this program's own: take some out"
    names = TAG_NAME_SEPARATOR.join(tags)
    if len(names) > MOST_IN_VALUE:  # of the tag that remembers them
        yield f"metadata.tags: the names together have {len(names)} characters, and {MOST_IN_VALUE} fit: shorten them"
    for name, value in tags.items():
        key = f"metadata.tags.{name[:60]}"
        if name.lower().startswith(("aws:", "xgb-endpoint:")):
            yield f"{key}: what begins with {name.partition(':')[0]}: is not yours to give: choose another name"
        if (
            not 0 < len(name) <= MOST_IN_KEY
            or TAG_NAME_SEPARATOR.rstrip() in name
            or TAG_NAME_SEPARATOR.lstrip() in name
        ):
            yield f"{key}: a name has from 1 to {MOST_IN_KEY} characters, and no plus beside a space: choose another"
        if len(value) > MOST_IN_VALUE:
            yield f"{key}: a value has at most {MOST_IN_VALUE} characters, not {len(value)}: shorten it"
        if wrong := sorted({sign for sign in name + value if not _fits_a_tag(sign)}):
            yield f"{key}: {' '.join(wrong)[:60]} cannot be in a tag, which has letters, digits, spaces and _ . : / = + - @"


def _fits_a_tag(sign: str) -> bool:
    return sign in "_.:/=+-@" or unicodedata.category(sign)[0] in "LNZ"
