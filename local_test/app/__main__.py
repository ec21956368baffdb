"""Starts the web application in front of an endpoint, and if none is named, the container's server behind it."""

import argparse
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from container.local_server import SAMPLE_ARTIFACT, NotServing, serving, stop_on_sigterm
from local_test.address import BadAddress, base_of
from local_test.app.endpoint import Endpoint
from local_test.app.http_endpoint import HttpEndpoint
from local_test.app.pages import create_app
from local_test.app.runtime_endpoint import ClientUnavailable, RuntimeEndpoint
from local_test.app.schema import BadSchema, load

HOST = "127.0.0.1"


class QuietHandler(WSGIRequestHandler):
    """Lets go of callers who stall, and keeps the terminal for what went wrong."""

    timeout = 30

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of a request that was answered."""


def main() -> None:
    """Run the application until Ctrl-C or SIGTERM."""
    options = _options()
    stop_on_sigterm()
    try:
        schema = load(options.folder)
        with (
            _listening(options.port) as listener,
            _endpoint(options) as endpoint,
            tempfile.TemporaryDirectory() as downloads,
        ):
            app = create_app(
                schema, options.folder, endpoint, options.max_upload_mb, Path(downloads)
            )
            port = listener.getsockname()[1]
            server = make_server(
                HOST, port, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno()
            )
            print(
                f"The application is at http://{HOST}:{port}, its endpoint at {endpoint.place}; Ctrl-C stops it",
                flush=True,
            )
            server.serve_forever()
    except KeyboardInterrupt:  # before it was ready; Werkzeug's server just ends
        pass
    except (BadSchema, ClientUnavailable, NotServing) as error:
        sys.exit(str(error))
    print("Stopped")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_test.app", description=__doc__)
    parser.add_argument(
        "--port",
        type=int,
        default=8000,
        help="where the application listens, on the loopback; 0 for any",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=SAMPLE_ARTIFACT,
        help="the artifact, whose schema.json the form is made from",
    )
    parser.add_argument(
        "--endpoint",
        type=_url,
        help="the URL of an endpoint, by default one that is started; or of a SageMaker runtime, by default AWS's own",
    )
    parser.add_argument(
        "--via",
        choices=["http", "runtime"],
        default="http",
        help="POST to /invocations, or boto3's invoke_endpoint",
    )
    parser.add_argument(
        "--endpoint-name", default="local", help="the endpoint's name at the runtime"
    )
    parser.add_argument("--image", help="the image to start the endpoint from, if Docker has it")
    parser.add_argument(
        "--timeout",
        type=float,
        default=60.0,
        help="seconds to wait for a prediction; 60, as SageMaker does",
    )
    parser.add_argument(
        "--max-upload-mb", type=int, default=50, help="the largest file to upload, in MiB"
    )
    return parser.parse_args()


def _url(text: str) -> str:
    try:
        return base_of(text)
    except BadAddress as error:
        raise argparse.ArgumentTypeError(str(error)) from error


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((HOST, port))
    except OSError as error:
        sys.exit(
            f"cannot listen on {HOST}:{port} ({os.strerror(error.errno or 0)}): PORT=8001 make app takes another port"
        )
    with listener:
        yield listener


@contextmanager
def _endpoint(options: argparse.Namespace) -> Iterator[Endpoint]:
    if options.via == "runtime":
        yield RuntimeEndpoint(options.endpoint_name, options.endpoint, options.timeout)
    elif options.endpoint:
        yield HttpEndpoint(options.endpoint, options.timeout)
    else:
        print(f"Starting the endpoint on {options.folder}", flush=True)
        with serving(options.folder, image=options.image) as container:
            yield HttpEndpoint(container.url, options.timeout)


if __name__ == "__main__":
    main()
