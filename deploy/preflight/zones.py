"""Checks that the subnets are in at least two Availability Zones."""

from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.config.rules.compute import MIN_ZONES, SINGLE_ZONE_HINT
from deploy.errors import DeployError


def verify_zones(aws: Aws, configuration: Configuration) -> None:
    """Look up the subnets' zones with EC2; raises DeployError if all are in the same one."""
    subnet_ids = list(configuration.network.subnets)
    if not subnet_ids or configuration.compute.allow_single_zone:
        return
    subnets = aws.call("ec2", "describe_subnets", SubnetIds=subnet_ids)["Subnets"]
    zones = sorted({subnet["AvailabilityZone"] for subnet in subnets})
    if len(zones) < MIN_ZONES:
        raise DeployError(
            "network.subnets: expected subnets in at least two Availability Zones, "
            f"got only {', '.join(zones)}{SINGLE_ZONE_HINT}"
        )
