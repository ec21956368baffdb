"""Build the page of plain text at /: what this server is, and a command to try it."""

import shlex

from serve import __version__
from serve.media.types import CSV
from serve.model.model import Model
from serve.openapi.examples import find_csv_line
from serve.text import counted, printable

ROUTES = """\
POST /invocations            predictions for CSV, JSON, JSON Lines, libsvm, recordio-protobuf or npy
GET  /ping                   whether the server is ready
GET  /execution-parameters   the limits of batch transform
GET  /openapi.json           the description of this API
"""


def build_page(model: Model, address: str) -> str:
    """Return the page; ``address`` is the server's host and port, as the client knows them."""
    names = ", ".join(map(printable, model.schema.names or ())) or "without names"
    line = shlex.quote(find_csv_line(model))
    return (
        f"xgb-endpoint {__version__} serves an XGBoost model: objective {model.objective}, "
        f"{counted(model.schema.width, 'column')} ({names})\n\n"
        f"curl -H 'Content-Type: {CSV}' --data-binary {line} http://{address}/invocations\n\n"
        f"{ROUTES}"
    )
