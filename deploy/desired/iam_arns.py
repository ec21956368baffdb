"""ARNs of an endpoint's resources, for IAM policies."""

from deploy.config.configuration import Configuration
from deploy.config.naming import artifact_prefix, payload_key


class Arns:
    """The ARNs of an endpoint's resources; some end in a wildcard."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        _, partition, _, _, account, _ = configuration.role.split(":", 5)
        self._prefix = f"arn:{partition}"
        self._region_account = f"{configuration.region}:{account}"

    @property
    def repository(self) -> str:
        host, _, path = self._configuration.image.partition("/")
        registry, name = host.partition(".")[0], path.partition("@")[0]
        return f"{self._prefix}:ecr:{self._configuration.region}:{registry}:repository/{name}"

    @property
    def uploads(self) -> str:
        return self._s3(
            f"{self._configuration.model.bucket}/{artifact_prefix(self._configuration)}*"
        )

    @property
    def payloads(self) -> str:
        return self._s3(
            f"{self._configuration.model.bucket}/{payload_key(self._configuration, '*')}"
        )

    @property
    def artifact_bucket(self) -> str:
        return self._s3(self._configuration.model.bucket)

    @property
    def logs(self) -> str:
        name = self._configuration.name
        return (
            f"{self._prefix}:logs:{self._region_account}:log-group:/aws/sagemaker/Endpoints/{name}*"
        )

    @property
    def alarms(self) -> str:
        return (
            f"{self._prefix}:cloudwatch:{self._region_account}:alarm:{self._configuration.name}-*"
        )

    @property
    def target_tracking_alarms(self) -> str:
        return f"{self._prefix}:cloudwatch:{self._region_account}:alarm:TargetTracking-*"

    @property
    def endpoint(self) -> str:
        return f"{self._sagemaker}:endpoint/{self._configuration.name.lower()}"

    @property
    def endpoint_configs(self) -> str:
        return f"{self._sagemaker}:endpoint-config/{self._configuration.name.lower()}-*"

    @property
    def models(self) -> str:
        return f"{self._sagemaker}:model/{self._configuration.name.lower()}-*"

    @property
    def _sagemaker(self) -> str:
        return f"{self._prefix}:sagemaker:{self._region_account}"

    def objects_under(self, uri: str) -> str:
        """Return the ARN of all objects under an S3 URI."""
        return self._s3(f"{uri.removeprefix('s3://').rstrip('/')}/*")

    def bucket_of(self, uri: str) -> str:
        """Return the ARN of an S3 URI's bucket."""
        return self._s3(uri.removeprefix("s3://").partition("/")[0])

    def _s3(self, path: str) -> str:
        return f"{self._prefix}:s3:::{path}"
