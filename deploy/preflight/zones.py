"""The Availability Zones of the subnets, which only AWS knows."""

from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.config.rules import SINGLE_ZONE_HINT
from deploy.errors import DeployError


def verify_zones(aws: Aws, configuration: Configuration) -> None:
    """Ask in which zones the subnets are; raises DeployError if all are in one."""
    subnets = list(configuration.network.subnets)
    if not subnets or configuration.compute.allow_single_zone:
        return
    zones = {
        subnet["AvailabilityZone"]
        for subnet in aws.call("ec2", "describe_subnets", SubnetIds=subnets)["Subnets"]
    }
    if len(zones) < 2:  # noqa: PLR2004 - more than one
        raise DeployError(
            f"network.subnets: all are in {', '.join(sorted(zones))}: add one in another Availability Zone {SINGLE_ZONE_HINT}"
        )
