"""Checks the rules that span several keys of a configuration."""

from deploy.config.configuration import Configuration
from deploy.config.rules.compute import check_compute, check_zones
from deploy.config.rules.container import check_data_format, check_environment
from deploy.config.rules.region import check_region
from deploy.config.rules.scaling import check_scaling
from deploy.config.rules.tags import check_tags
from deploy.config.rules.update import check_update

CHECKS = (
    check_data_format,
    check_environment,
    check_zones,
    check_compute,
    check_scaling,
    check_update,
    check_region,
    check_tags,
)


def find_conflicts(configuration: Configuration) -> list[str]:
    """Return an error message, with key and fix, for each rule that the configuration violates."""
    return [message for check in CHECKS for message in check(configuration)]
