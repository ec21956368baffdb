"""Records the calls to the AWS emulator, and injects faults in place of its responses."""

import json
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

READ_PREFIXES = ("Describe", "List", "Get", "BatchGet", "Head", "Filter", "Invoke")
S3_OPERATIONS = {
    "PUT": "PutObject",
    "HEAD": "HeadObject",
    "DELETE": "DeleteObject",
    "GET": "GetObject",
}

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class ApiCall:
    """One call of an AWS operation."""

    service: str
    operation: str
    parameters: dict[str, Any]
    headers: dict[str, str]

    @property
    def mutates(self) -> bool:
        return not self.operation.startswith(READ_PREFIXES)


@dataclass(frozen=True)
class Fault:
    """An error response; with ``applied``, the call takes effect but its response is lost."""

    code: str
    message: str = "injected"
    status: int = 400
    applied: bool = False
    headers: tuple[tuple[str, str], ...] = ()


class CallRecorder:
    """WSGI middleware that records all signed calls and injects faults.

    ``inject_fault`` receives each call, and the number of mutating calls so far.
    """

    def __init__(self, inner: Application) -> None:
        self._inner, self._lock = inner, threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all calls, and stop injecting faults."""
        self.calls: list[ApiCall] = []
        self.inject_fault: Callable[[ApiCall, int], Fault | None] = lambda *_: None

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        """Record a request, and forward it or respond with a fault."""
        if "HTTP_AUTHORIZATION" not in environ:
            return self._inner(environ, start)
        call = _parse_call(environ)
        with self._lock:
            self.calls.append(call)
            mutation_count = sum(call.mutates for call in self.calls)
        # Without the lock: the function may itself make calls, like a second terminal.
        fault = self.inject_fault(call, mutation_count)
        if fault is None:
            return self._inner(environ, start)
        if fault.applied:
            list(self._inner(environ, lambda *_: None))
        return _respond(call, fault, start)


def _parse_call(environ: Environ) -> ApiCall:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = _ReplayedBody(body)
    authorization, path = environ["HTTP_AUTHORIZATION"], environ["PATH_INFO"]
    service = re.findall(r"Credential=[^/]*/\d+/[^/]*/([^/]*)/", authorization)[0]
    headers = {
        name.removeprefix("HTTP_").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if service == "s3":
        return ApiCall(service, _s3_operation(environ), {"path": path}, headers)
    if path.startswith("/endpoints/"):
        operation = "InvokeEndpointAsync" if "/async" in path else "InvokeEndpoint"
        return ApiCall("sagemaker", operation, {"path": path}, headers)
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return ApiCall(service, target.rpartition(".")[2], json.loads(body or b"{}"), headers)
    if "/operation/" in path:
        return ApiCall(service, path.rpartition("/")[2], {}, headers)
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    return ApiCall(service, form["Action"], form, headers)


def _s3_operation(environ: Environ) -> str:
    method, query = environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")
    if method == "HEAD" and "/" not in environ["PATH_INFO"].strip("/"):
        return "HeadBucket"
    if query == "tagging":
        return "GetObjectTagging"
    if "list-type" in query:
        return "ListObjectsV2"
    return S3_OPERATIONS[method]


class _ReplayedBody:
    """A request body that has been read, for the application to read again."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        size = len(self._body) if size is None or size < 0 else size
        part, self._body = self._body[:size], self._body[size:]
        return part

    def readline(self, size: int = -1) -> bytes:
        end = self._body.find(b"\n") + 1 or len(self._body)
        return self.read(end if size < 0 else min(end, size))


def _respond(call: ApiCall, fault: Fault, start: Callable[..., Any]) -> Iterable[bytes]:
    headers = [
        ("Content-Type", "application/x-amz-json-1.1"),
        ("x-amzn-errortype", fault.code),
        *fault.headers,
    ]
    start(f"{fault.status} Fault", headers)
    return [_error_body(call.service, fault).encode()]


def _error_body(service: str, fault: Fault) -> str:
    if service not in ("s3", "ec2"):
        return json.dumps({"__type": fault.code, "message": fault.message})
    error = f"<Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>"
    if service == "s3":
        return error
    return f"<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>"
