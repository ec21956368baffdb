"""Start the web application and, by default, the endpoint that it sends records to."""

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
from local_test.app.endpoints.endpoint import Endpoint
from local_test.app.endpoints.http_endpoint import HttpEndpoint
from local_test.app.endpoints.runtime_endpoint import ClientUnavailable, RuntimeEndpoint
from local_test.app.pages import create_app
from local_test.app.schema import load_schema
from local_test.app.schema_document import BadSchema
from local_test.base_url import InvalidUrl, parse_base_url

HOST = "127.0.0.1"


class QuietRequestHandler(WSGIRequestHandler):
    """Logs errors only, and closes a connection on which nothing arrives."""

    timeout = 30  # seconds

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing for a request that was answered."""


def main() -> None:
    """Run the application until SIGINT, SIGTERM or SIGHUP."""
    options = _parse_options()
    stop_on_sigterm()
    try:
        _serve(options)
    except KeyboardInterrupt:  # during startup; afterwards Werkzeug catches it
        pass
    except (BadSchema, ClientUnavailable, NotServing) as error:
        sys.exit(str(error))
    print("Stopped")


def _serve(options: argparse.Namespace) -> None:
    schema = load_schema(options.folder, options.image)
    with (
        _open_listener(options.port) as listener,
        _open_endpoint(options) as endpoint,
        tempfile.TemporaryDirectory() as downloads,
    ):
        app = create_app(schema, options.folder, endpoint, options.max_upload_mib, Path(downloads))
        port = listener.getsockname()[1]
        server = make_server(
            HOST,
            port,
            app,
            threaded=True,
            request_handler=QuietRequestHandler,
            fd=listener.fileno(),
        )
        print(
            f"Open http://{HOST}:{port} in a browser (endpoint: {endpoint.address}); "
            "press Ctrl-C to stop",
            flush=True,
        )
        server.serve_forever()


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_test.app", description=__doc__)
    parser.add_argument(
        "--port",
        type=int,
        default=8000,
        help="port of the application on 127.0.0.1; 0 chooses a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=SAMPLE_ARTIFACT,
        help="artifact to serve; the form is built from its schema.json and its model "
        "(default: the sample)",
    )
    parser.add_argument(
        "--endpoint",
        type=_parse_url,
        help="URL of a running endpoint (default: start one), "
        "or with --via runtime of a SageMaker Runtime API (default: AWS)",
    )
    parser.add_argument(
        "--via",
        choices=["http", "runtime"],
        default="http",
        help="invoke the endpoint by POST to /invocations, or with boto3's invoke_endpoint "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--endpoint-name",
        default="local",
        help="name of the endpoint with --via runtime (default: %(default)s)",
    )
    parser.add_argument(
        "--image", help="Docker image to start the endpoint from, if it exists locally"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=60.0,
        help="seconds to wait for a prediction (default: 60, as on SageMaker)",
    )
    parser.add_argument(
        "--max-upload-mib",
        type=int,
        default=50,
        help="largest CSV file, in MiB (default: %(default)s)",
    )
    return parser.parse_args()


def _parse_url(text: str) -> str:
    try:
        return parse_base_url(text)
    except InvalidUrl as error:
        raise argparse.ArgumentTypeError(str(error)) from error


@contextmanager
def _open_listener(port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((HOST, port))
    except OSError as error:
        sys.exit(
            f"cannot listen on {HOST}:{port}: {os.strerror(error.errno or 0)}; "
            "choose another port, such as: make app PORT=8001"
        )
    with listener:
        yield listener


@contextmanager
def _open_endpoint(options: argparse.Namespace) -> Iterator[Endpoint]:
    if options.via == "runtime":
        yield RuntimeEndpoint(options.endpoint_name, options.endpoint, options.timeout)
    elif options.endpoint:
        yield HttpEndpoint(options.endpoint, options.timeout)
    else:
        print(f"Starting an endpoint with the artifact {options.folder}", flush=True)
        with serving(options.folder, image=options.image) as container:
            yield HttpEndpoint(container.url, options.timeout)


if __name__ == "__main__":
    main()
