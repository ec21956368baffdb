"""The response to /execution-parameters, which configures a batch transform job.

Source: contract 5.2 to 5.4, 12.5.
"""

from serve.settings import MIB, Settings

# Batch transform's own default. Larger requests gain no speed here, and cost more to retry.
DEFAULT_PAYLOAD_MIB = 6
# The maximum size of one payload, and of all payloads in flight together: contract 5.3.
MAX_TOTAL_MIB = 100


def build_execution_parameters(settings: Settings, workers: int) -> dict[str, int]:
    """Return the maximum number of concurrent invocations, and the maximum payload of each in MiB.

    The product of the two is at most MAX_TOTAL_MIB. A maximum payload of 0 means no limit, and is
    returned only if SAGEMAKER_MAX_PAYLOAD_IN_MB is 0. BatchStrategy is omitted, because the default
    is correct here, and because a BatchStrategy breaks the local mode of SageMaker's Python SDK
    (12.5).
    """
    concurrent = settings.max_concurrent_transforms or workers
    limit_mib = _find_limit_mib(settings)
    if limit_mib is None:
        concurrent = min(concurrent, MAX_TOTAL_MIB)
        payload_mib = max(1, min(DEFAULT_PAYLOAD_MIB, MAX_TOTAL_MIB // concurrent))
    else:
        payload_mib = min(limit_mib, MAX_TOTAL_MIB)
        if payload_mib:
            concurrent = min(concurrent, MAX_TOTAL_MIB // payload_mib)
    return {"MaxConcurrentTransforms": concurrent, "MaxPayloadInMB": payload_mib}


def _find_limit_mib(settings: Settings) -> int | None:
    """Return the payload limit that the settings contain in whole MiB, or None if they have none.

    A limit below 1 MiB is 1, because 0 would mean no limit.
    """
    if settings.max_payload_mib is not None or settings.max_content_length is None:
        return settings.max_payload_mib
    return max(1, settings.max_content_length // MIB)
