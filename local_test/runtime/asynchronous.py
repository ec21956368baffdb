"""Asynchronous invocations: accepted at once, answered in a file (contract 7.1, 7.2, 7.3, 7.5)."""

import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

from local_test.runtime.container_call import Answer, calling
from local_test.runtime.failures import ModelError, RuntimeFailure, ValidationError
from local_test.runtime.invocation import Invocation
from local_test.runtime.store import NoSuchObject, Store

LOG = logging.getLogger(__name__)
OUTPUT = "s3://sagemaker-local/async-output"
FAILURES = "s3://sagemaker-local/async-failures"
LONGEST_INLINE_BYTES = 128_000
LONGEST_OBJECT_BYTES = 1 << 30
LONGEST_HEADERS_BYTES = 4096
BOUNDS = {"RequestTTLSeconds": (60, 21_600), "InvocationTimeoutSeconds": (1, 3_600)}
DEFAULTS = {"RequestTTLSeconds": 21_600, "InvocationTimeoutSeconds": 900}


@dataclass(frozen=True, slots=True)
class Accepted:
    """Where the reply of an accepted invocation will be, or the words of its failure."""

    inference_id: str
    output: str
    failure: str


@dataclass(frozen=True, slots=True)
class AsyncQueue:
    """Responder under way, a few at a time; those of a runtime that stops are lost."""

    store: Store
    threads: ThreadPoolExecutor = field(
        default_factory=partial(ThreadPoolExecutor, max_workers=4, thread_name_prefix="async")
    )

    def stop(self) -> None:
        """Drop what waits."""
        self.threads.shutdown(wait=False, cancel_futures=True)

    def accept(self, invocation: Invocation) -> Accepted:
        """Take an invocation on; raises ValidationError."""
        fields = invocation.fields
        if bool(invocation.payload) == ("InputLocation" in fields):
            raise ValidationError(
                "An asynchronous invocation has either InputLocation or a Body, and just one of them."
            )
        seconds = {name: _seconds(name, fields) for name in BOUNDS}
        unique = str(uuid4())
        folder = "/".join(
            part for part in (OUTPUT, fields.get("S3OutputPathExtension", "").strip("/")) if part
        )
        accepted = Accepted(
            fields.get("InferenceId", unique),
            f"{folder}/{fields.get('Filename', f'{unique}.out')}",
            f"{FAILURES}/{unique}-error.out",
        )
        self._check_address(accepted.output)
        latest_start = time.monotonic() + seconds["RequestTTLSeconds"]
        self.threads.submit(
            self._run, invocation, accepted, latest_start, seconds["InvocationTimeoutSeconds"]
        )
        return accepted

    def _run(
        self, invocation: Invocation, accepted: Accepted, latest_start: float, seconds: float
    ) -> None:
        try:
            if time.monotonic() > latest_start:
                raise NoSuchObject("the invocation waited longer than its RequestTTLSeconds")
            if address := invocation.fields.get("InputLocation"):
                invocation = invocation.with_payload(self.store.read(address, LONGEST_OBJECT_BYTES))
            with calling(invocation, seconds) as answer:
                reply = self._reply(answer)
            self.store.write(accepted.output, reply)
        except (RuntimeFailure, NoSuchObject, OSError) as failure:
            self._tell(accepted, str(failure))
        except Exception:
            LOG.exception("asynchronous invocation %s failed", accepted.inference_id)
            self._tell(accepted, "the local runtime failed; its log tells more")

    def _tell(self, accepted: Accepted, said: str) -> None:
        try:
            self.store.write(accepted.failure, f"{said}\n".encode())
        except OSError:
            LOG.exception("asynchronous invocation %s failed: %s", accepted.inference_id, said)

    def _reply(self, answer: Answer) -> bytes:
        reply = answer.body()
        headers = answer.response.headers
        if "Content-Length" not in headers:
            said = "The response from container primary did not specify the required Content-Length header"
            raise ModelError(answer.endpoint, 0, said)
        if (
            sum(len(name) + len(value) + 4 for name, value in headers.items())
            > LONGEST_HEADERS_BYTES
        ):
            said = f"Response received from the primary container has headers with length greater than {LONGEST_HEADERS_BYTES} bytes"
            raise ModelError(answer.endpoint, 0, said)
        return reply

    def _check_address(self, address: str) -> None:
        try:
            self.store.path(address)
        except NoSuchObject as error:
            raise ValidationError(str(error)) from error


def _seconds(name: str, fields: Mapping[str, str]) -> int:
    least, most = BOUNDS[name]
    value = int(fields.get(name, DEFAULTS[name]))
    if not least <= value <= most:
        raise ValidationError(f"{name}: {value}, where the API takes {least} to {most:,}")
    return value
