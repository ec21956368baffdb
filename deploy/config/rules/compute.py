"""Checks the number and kind of instances; most rules avoid a single Availability Zone."""

from collections.abc import Iterator

from deploy.config.configuration import Configuration

MIN_ZONES = 2
SINGLE_ZONE_HINT = "; for development, set compute.allow_single_zone: true"


def check_zones(configuration: Configuration) -> Iterator[str]:
    compute, scaling = configuration.compute, configuration.scaling
    if compute.allow_single_zone or compute.serverless:
        return
    if compute.instance_count < MIN_ZONES:
        yield (
            f"compute.instance_count: expected at least 2, for two Availability Zones; "
            f"got {compute.instance_count}{SINGLE_ZONE_HINT}"
        )
    # An asynchronous endpoint may scale to zero: its queue waits for an instance in any zone.
    scales_to_zero = compute.asynchronous and scaling and scaling.min == 0
    if scaling and scaling.min < MIN_ZONES and not scales_to_zero:
        yield (
            f"scaling.min: expected at least 2, for two Availability Zones; "
            f"got {scaling.min}{SINGLE_ZONE_HINT}"
        )
    if len(set(configuration.network.subnets)) == 1:
        yield (
            "network.subnets: expected subnets in at least two Availability Zones, "
            f"got one subnet{SINGLE_ZONE_HINT}"
        )


def check_compute(configuration: Configuration) -> Iterator[str]:
    compute, network = configuration.compute, configuration.network
    if compute.instance_count < 1 and not compute.serverless:
        yield (
            "compute.instance_count: expected at least 1, got 0; "
            "to scale an asynchronous endpoint to zero, use scaling.min: 0"
        )
    if bool(network.subnets) != bool(network.security_groups):
        yield "network: subnets and security_groups require each other; set both or neither"
    yield from _check_serverless(configuration)


def _check_serverless(configuration: Configuration) -> Iterator[str]:
    compute, network = configuration.compute, configuration.network
    serverless = compute.serverless
    if serverless is None:
        return
    if compute.asynchronous:
        yield "compute: serverless conflicts with asynchronous; remove one"
    unsupported = {
        "network": network.subnets or network.isolation,
        "capture": configuration.capture,
        "kms.volume_key": configuration.kms.volume_key,
    }
    if present := ", ".join(key for key, value in unsupported.items() if value):
        yield (
            f"compute.serverless: does not support {present}; "
            f"remove {present}, or replace compute.serverless with instances"
        )
    provisioned = serverless.provisioned_concurrency
    if provisioned and provisioned > serverless.max_concurrency:
        yield (
            "compute.serverless.provisioned_concurrency: expected at most "
            f"{serverless.max_concurrency} (the value of max_concurrency), got {provisioned}"
        )
