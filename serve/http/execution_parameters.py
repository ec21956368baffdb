"""Batch: what batch transform is told before its first invocation.

Source: contract 5.2 to 5.4, 12.5.
"""

from serve.settings import MIB, Settings

# The service's own default; more a request is no faster here, and dearer to repeat.
USUAL_PAYLOAD_MIB = 6
# No payload may be larger, nor all that are under way together: contract 5.3.
MOST_MIB = 100


def execution_parameters(settings: Settings, workers: int) -> dict[str, int]:
    """Return how many invocations may be under way at once and how large each may be, within the service's constraint.

    A payload of 0 means one without limit, and is said only where SAGEMAKER_MAX_PAYLOAD_IN_MB=0 does. BatchStrategy is left
    out: the service's default is the one meant, and the SDK's local mode fails on its spelling (12.5).
    """
    at_once = settings.max_concurrent_transforms or workers
    if settings.max_payload_mib is None:
        at_once = min(at_once, MOST_MIB)
        payload_mib = max(
            1, int(min(USUAL_PAYLOAD_MIB, MOST_MIB // at_once, settings.max_payload_bytes // MIB))
        )
    else:
        payload_mib = min(settings.max_payload_mib, MOST_MIB)
        at_once = min(at_once, MOST_MIB // payload_mib) if payload_mib else at_once
    return {"MaxConcurrentTransforms": at_once, "MaxPayloadInMB": payload_mib}
