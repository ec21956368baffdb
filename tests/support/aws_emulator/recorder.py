"""What goes over the wire to the stand-in: each call is recorded, and some are answered with a fault."""

import json
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

READING = ("Describe", "List", "Get", "BatchGet", "Head", "Filter", "Invoke")
S3 = {"PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject", "GET": "GetObject"}

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class ApiCall:
    """A call as it came over the wire."""

    service: str
    operation: str
    parameters: dict[str, Any]
    headers: dict[str, str]

    @property
    def mutates(self) -> bool:
        return not self.operation.startswith(READING)


@dataclass(frozen=True)
class Fault:
    """An answer in place of AWS's; with ``applied`` the call is carried out, and only its answer is lost."""

    code: str
    message: str = "injected"
    status: int = 400
    applied: bool = False
    headers: tuple[tuple[str, str], ...] = ()


class CallRecorder:
    """A WSGI application around another: records the calls, and asks ``inject_fault`` of each whether it goes wrong."""

    def __init__(self, inner: Application) -> None:
        self._inner, self._lock = inner, threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all calls and faults."""
        self.calls: list[ApiCall] = []
        self.inject_fault: Callable[[ApiCall, int], Fault | None] = lambda *_: None

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        if "HTTP_AUTHORIZATION" not in environ:
            return self._inner(environ, start)
        call = _parse_call(environ)
        with self._lock:
            self.calls.append(call)
            count = sum(call.mutates for call in self.calls)
        fault = self.inject_fault(
            call, count
        )  # which may make calls itself, as another terminal does
        if fault is None:
            return self._inner(environ, start)
        if fault.applied:
            list(self._inner(environ, lambda *_: None))
        return _answer(call, fault, start)


def _parse_call(environ: Environ) -> ApiCall:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = _Again(body)
    service = re.findall(r"Credential=[^/]*/\d+/[^/]*/([^/]*)/", environ["HTTP_AUTHORIZATION"])[0]
    headers = {
        name.removeprefix("HTTP_").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    target, path, query = (
        environ.get("HTTP_X_AMZ_TARGET"),
        environ["PATH_INFO"],
        environ.get("QUERY_STRING", ""),
    )
    if service == "s3":
        of_bucket = environ["REQUEST_METHOD"] == "HEAD" and "/" not in path.strip("/")
        operation = (
            "HeadBucket"
            if of_bucket
            else "GetObjectTagging"
            if query == "tagging"
            else "ListObjectsV2"
            if "list-type" in query
            else S3[environ["REQUEST_METHOD"]]
        )
        return ApiCall(service, operation, {"path": path}, headers)
    if path.startswith("/endpoints/"):
        return ApiCall(
            "sagemaker",
            "InvokeEndpointAsync" if "/async" in path else "InvokeEndpoint",
            {"path": path},
            headers,
        )
    if target:
        return ApiCall(service, target.rpartition(".")[2], json.loads(body or b"{}"), headers)
    if "/operation/" in path:
        return ApiCall(service, path.rpartition("/")[2], {}, headers)
    form = parse_qs(body.decode())
    return ApiCall(
        service, form["Action"][0], {name: values[0] for name, values in form.items()}, headers
    )


class _Again:
    """A body that was read, to be read by the next."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        size = len(self._body) if size is None or size < 0 else size
        part, self._body = self._body[:size], self._body[size:]
        return part

    def readline(self, size: int = -1) -> bytes:
        end = self._body.find(b"\n") + 1 or len(self._body)
        return self.read(end if size < 0 else min(end, size))


def _answer(call: ApiCall, fault: Fault, start: Callable[..., Any]) -> Iterable[bytes]:
    if call.service == "s3":
        body = f"<Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>"
    elif call.service == "ec2":
        error = f"<Errors><Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error></Errors>"
        body = f"<Response>{error}<RequestID>1</RequestID></Response>"
    else:
        body = json.dumps({"__type": fault.code, "message": fault.message})
    start(
        f"{fault.status} Fault",
        [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("x-amzn-errortype", fault.code),
            *fault.headers,
        ],
    )
    return [body.encode()]
