"""The environment variables of the container that a configuration describes."""

from deploy.config.configuration import Configuration

ACCEPT_VARIABLE = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"


def build_environment(configuration: Configuration) -> dict[str, str]:
    """Return the container's environment variables, from all keys of ``data_format``."""
    data_format = configuration.data_format
    environment = dict(data_format.environment)
    if data_format.accept:
        environment[ACCEPT_VARIABLE] = data_format.accept
    return environment
