"""The parameters of a job: the job's own, else the container's, else SageMaker's defaults.

Source: contract 5.2 to 5.4.
"""

from dataclasses import dataclass

import requests

from local_test.batch.errors import JobFailed
from local_test.batch.session import open_session
from serve.text import quoted

MIB = 1 << 20
# The limit for all concurrent payloads together: contract 5.3.
MAX_CONCURRENT_MIB = 100
# The job's spelling of a strategy by the spellings of the job and of the container.
STRATEGIES = {
    "MultiRecord": "MultiRecord",
    "SingleRecord": "SingleRecord",
    "MULTI_RECORD": "MultiRecord",
    "SINGLE_RECORD": "SingleRecord",
}
DEFAULTS = {"MaxConcurrentTransforms": 1, "BatchStrategy": "MultiRecord", "MaxPayloadInMB": 6}
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RequestedParameters:
    """The parameters set by the job; None leaves the choice to the container."""

    max_concurrent_transforms: int | None = None
    strategy: str | None = None
    max_payload_mib: int | None = None

    def environment(self) -> dict[str, str]:
        """Return the environment variables that SageMaker sets in the container: contract 8.2."""
        variables = {"SAGEMAKER_BATCH": "true"}
        if self.max_concurrent_transforms is not None:
            variables["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(self.max_concurrent_transforms)
        if self.strategy is not None:
            is_single = self.strategy == "SingleRecord"
            variables["SAGEMAKER_BATCH_STRATEGY"] = "SINGLE_RECORD" if is_single else "MULTI_RECORD"
        if self.max_payload_mib is not None:
            variables["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(self.max_payload_mib)
        return variables

    def values(self) -> dict[str, object]:
        """Return the parameters that are set, by their names in the API."""
        parameters = {
            "MaxConcurrentTransforms": self.max_concurrent_transforms,
            "BatchStrategy": self.strategy,
            "MaxPayloadInMB": self.max_payload_mib,
        }
        return {name: value for name, value in parameters.items() if value is not None}


@dataclass(frozen=True, slots=True)
class JobParameters:
    """The parameters in effect; a ``max_payload_mib`` of 0 means no limit."""

    max_concurrent_transforms: int
    strategy: str
    max_payload_mib: int

    @property
    def max_payload_bytes(self) -> int | None:
        """The maximum payload, or None if it is unlimited."""
        return self.max_payload_mib * MIB or None

    def __str__(self) -> str:
        """Return the line that SageMaker writes at the start of the job's log: contract 5.13."""
        return (
            f"MaxConcurrentTransforms={self.max_concurrent_transforms}, "
            f"MaxPayloadInMB={self.max_payload_mib}, BatchStrategy={self.strategy}"
        )


def resolve_parameters(url: str, requested: RequestedParameters) -> JobParameters:
    """Return the parameters of a job on the container at ``url``; raises JobFailed."""
    reported = _fetch_execution_parameters(url)
    values: dict[str, object] = DEFAULTS | reported | requested.values()
    concurrency, payload_mib = values["MaxConcurrentTransforms"], values["MaxPayloadInMB"]
    strategy = STRATEGIES.get(str(values["BatchStrategy"]))
    if (
        not isinstance(concurrency, int)
        or not isinstance(payload_mib, int)
        or concurrency < 1
        or payload_mib < 0
        or strategy is None
    ):
        raise JobFailed(
            f"GET {url}/execution-parameters: expected whole numbers, and MULTI_RECORD or "
            f"SINGLE_RECORD, got {reported}"
        )
    if concurrency * payload_mib > MAX_CONCURRENT_MIB:
        raise JobFailed(
            f"MaxConcurrentTransforms * MaxPayloadInMB: expected at most {MAX_CONCURRENT_MIB} MB, "
            f"got {concurrency} * {payload_mib} MB; "
            "lower MAX_PAYLOAD_IN_MB or MAX_CONCURRENT_TRANSFORMS"
        )
    return JobParameters(concurrency, strategy, payload_mib)


def _fetch_execution_parameters(url: str) -> dict[str, object]:
    """Return the response to GET /execution-parameters; empty if the container sends 404."""
    endpoint = f"GET {url}/execution-parameters"
    try:
        with open_session() as session:
            response = session.get(f"{url}/execution-parameters", timeout=TIMEOUT_SECONDS)
        if response.status_code == requests.codes.not_found:
            return {}
        response.raise_for_status()
        parameters = response.json()
    except requests.ConnectionError as error:
        raise JobFailed(
            f"cannot connect to the container at {url}: start one with make serve, or remove "
            "ENDPOINT to start one for this job"
        ) from error
    except requests.RequestException as error:
        raise JobFailed(f"{endpoint}: expected a JSON object or 404, got {error}") from error
    if not isinstance(parameters, dict):
        raise JobFailed(f"{endpoint}: expected a JSON object, got {quoted(parameters)}")
    return {name: value for name, value in parameters.items() if name in DEFAULTS}
