"""The parameters of a job: its own values before the container's answer, and that before the service's defaults.

Source: contract 5.2 to 5.4.
"""

from dataclasses import dataclass

import requests

from local_test.batch.errors import JobFailed

MIB = 1 << 20
# No payload may be larger, nor all that are under way together: contract 5.3.
MOST_MIB = 100
STRATEGIES = {
    "MultiRecord": "MultiRecord",
    "SingleRecord": "SingleRecord",
    "MULTI_RECORD": "MultiRecord",
    "SINGLE_RECORD": "SingleRecord",
}
DEFAULTS = {"MaxConcurrentTransforms": 1, "BatchStrategy": "MultiRecord", "MaxPayloadInMB": 6}
ANSWER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the job itself says; None leaves it to the container."""

    max_concurrent_transforms: int | None = None
    strategy: str | None = None
    max_payload_mib: int | None = None

    def environment(self) -> dict[str, str]:
        """Return the variables that the service starts the job's container with: contract 8.2."""
        told = {
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": self.max_concurrent_transforms,
            "SAGEMAKER_BATCH_STRATEGY": {
                "MultiRecord": "MULTI_RECORD",
                "SingleRecord": "SINGLE_RECORD",
            }.get(self.strategy or ""),
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": self.max_payload_mib,
        }
        return {"SAGEMAKER_BATCH": "true"} | {
            name: str(value) for name, value in told.items() if value is not None
        }


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many payloads of which size go out at once; a size of 0 has no limit."""

    max_concurrent_transforms: int
    strategy: str
    max_payload_mib: int

    @property
    def payload_bytes(self) -> int | None:
        """The longest payload, None for no limit."""
        return self.max_payload_mib * MIB or None

    def __str__(self) -> str:
        """Return the line that the service writes at the head of the job's log: contract 5.13."""
        sizes = f"MaxConcurrentTransforms={self.max_concurrent_transforms}, MaxPayloadInMB={self.max_payload_mib}"
        return f"{sizes}, BatchStrategy={self.strategy}"


def agree(url: str, wishes: Wishes) -> Parameters:
    """Return a job's parameters after the container was asked; raises JobFailed."""
    answer = _answer(url)
    own = {
        "MaxConcurrentTransforms": wishes.max_concurrent_transforms,
        "BatchStrategy": wishes.strategy,
        "MaxPayloadInMB": wishes.max_payload_mib,
    }
    told = DEFAULTS | answer | {name: value for name, value in own.items() if value is not None}
    at_once, payload, strategy = (
        told["MaxConcurrentTransforms"],
        told["MaxPayloadInMB"],
        told["BatchStrategy"],
    )
    if (
        not isinstance(at_once, int)
        or not isinstance(payload, int)
        or at_once < 1
        or payload < 0
        or strategy not in STRATEGIES
    ):
        raise JobFailed(
            f"GET {url}/execution-parameters: expected whole numbers and MULTI_RECORD or SINGLE_RECORD, got {answer}"
        )
    if payload > MOST_MIB or at_once * payload > MOST_MIB:
        raise JobFailed(
            f"{at_once} payloads at once of {payload} MB are more than the service's {MOST_MIB} MB in all: "
            f"lower MAX_PAYLOAD_IN_MB or MAX_CONCURRENT_TRANSFORMS"
        )
    return Parameters(at_once, STRATEGIES[str(strategy)], payload)


def _answer(url: str) -> dict[str, object]:
    """Return what GET /execution-parameters says, nothing if the container does not have it."""
    try:
        response = requests.get(f"{url}/execution-parameters", timeout=ANSWER_SECONDS)
        if response.status_code == requests.codes.not_found:
            return {}
        response.raise_for_status()
        answer = response.json()
    except requests.ConnectionError as error:
        raise JobFailed(
            f"no container answers at {url}: leave ENDPOINT out to have one started, or start it with make serve"
        ) from error
    except requests.RequestException as error:
        raise JobFailed(
            f"GET {url}/execution-parameters: expected a JSON object or 404, got {error}"
        ) from error
    if not isinstance(answer, dict):
        raise JobFailed(
            f"GET {url}/execution-parameters: expected a JSON object, got {answer!r:.200}"
        )
    return {name: value for name, value in answer.items() if name in DEFAULTS}
