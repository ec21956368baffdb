"""The dependency rule: imports point one way, and foreign names stay where they belong."""

import ast
from pathlib import Path

import pytest

from tests.support.server import ROOT

# Each module may import from the lines above its own.
LAYERS = [
    {
        "serve",
        "serve.http",
        "serve.schema",
        "serve.model",
        "serve.outputs",
        "container.image_build",
    },
    {"serve.text", "serve.errors", "serve.media_types"},
    {
        "serve.records",
        "serve.model.schema_file",
        "serve.model.artifact",
        "serve.model.categories",
        "serve.logs",
        "serve.stopwatch",
        "serve.columns",
    },
    {
        "serve.http.messages",
        "serve.model.native_predict",
        "serve.parallel",
        "serve.http.admission",
        "serve.model.ensemble",
        "serve.outputs.selection",
    },
    {"serve.schema.feature"},
    {"serve.schema.mismatch"},
    {"serve.schema.schema"},
    {
        "serve.codecs.lines",
        "serve.codecs.cells",
        "serve.codecs.json_rows",
        "serve.codecs.sparse",
        "serve.codecs.protobuf",
        "serve.codecs.fast_matrix",
    },
    {
        "serve.codecs.csv_dialect",
        "serve.codecs.jsonlines",
        "serve.codecs.libsvm",
        "serve.codecs.npy",
        "serve.codecs.tensor",
    },
    {"serve.codecs.csv", "serve.codecs.recordio"},
    {"serve.codecs.json"},
    {"serve.codecs"},
    {"serve.settings"},
    {"serve.model.schema_merge", "serve.model.booster"},
    {"serve.model.model", "serve.codecs.row_errors", "serve.http.execution_parameters"},
    {"serve.outputs.explanations"},
    {"serve.inference", "serve.http.body", "serve.http.content_encoding", "serve.model.summary"},
    {"serve.self_test", "serve.http.responder", "serve.http.wsgi_bridge"},
    {"serve.http.flask_routes", "serve.http.asgi"},
    {"serve.app"},
    {"container", "container.local_server"},
    {
        "container.flask_worker",
        "container.limits",
        "container.balance",
        "container.asgi_connection",
    },
    {"container.asgi_worker"},
    {"container.sizing"},
    {"container.check"},
    {"container.server"},
    {"container.entrypoint"},
]
FLOOR = {module: floor for floor, modules in enumerate(LAYERS) for module in modules}
HOMES = {
    "flask": {"serve.app", "serve.http.flask_routes", "serve.http.body", "container.server"},
    "werkzeug": {"serve.app", "serve.media_types", "serve.http.wsgi_bridge"},
    "xgboost": {
        "serve.model.schema_merge",
        "serve.model.booster",
        "serve.model.native_predict",
        "serve.outputs.explanations",
        "serve.model.model",
        "container.server",
    },
    "gunicorn": {
        "container.server",
        "container.flask_worker",
        "container.asgi_worker",
        "container.asgi_connection",
    },
    "os": {
        "container.local_server",
        "serve.settings",
        "container.server",
        "container.limits",
        "container.entrypoint",
        "container.asgi_worker",
    },
    "pandas": set(),
    "requests": {"container.local_server"},
}
MODULES = sorted([*(ROOT / "serve").rglob("*.py"), *(ROOT / "container").rglob("*.py")])


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    """Return the modules that a module imports, its own project's in full."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            found |= {
                f"{node.module}.{alias.name}"
                if f"{node.module}.{alias.name}" in FLOOR
                else node.module
                for alias in node.names
            }
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    """A module imports only from modules below it, and a foreign package only where it is at home."""
    importer = name_of(path)

    for imported in imports_of(path):
        if imported in FLOOR:
            assert FLOOR[imported] < FLOOR[importer], f"{importer} imports {imported}"
        home = HOMES.get(imported.partition(".")[0])
        assert home is None or importer in home, f"{importer} imports {imported}"


def test_every_module_has_its_floor() -> None:
    """The list of floors is that of the modules."""
    assert {name_of(path) for path in MODULES} == set(FLOOR)
