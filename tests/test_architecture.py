"""The dependency rule: imports point one way, and third-party packages stay where they belong."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.server import ROOT

# What each package may import of the others: whole packages, or single modules.
PACKAGES: dict[str, set[str]] = {
    "serve": set(),
    "container": {"serve"},
    "model": {"serve"},
    "local_test": {
        "serve.text",
        "serve.column_names",
        "serve.errors",
        "serve.media.types",
        "serve.model.artifact",
        "serve.model.files.reading",
        "container.local_check",
        "container.local_server",
    },
    "deploy": {"serve", "container"},
    "capacity": {
        "serve.errors",
        "serve.model.artifact",
        "container.limits",
        "container.local_server",
    },
    "bench": {"serve", "container"},
    "docs": {"serve", "deploy"},
}
# The layers of a package, from the bottom up: a layer imports from itself and from those before it.
LAYERS = {
    "serve": [
        {"serve.text", "serve.column_names", "serve.errors"},
        {"serve.logs", "serve.stopwatch", "serve.limits", "serve.threads"},
        {"serve.output_keys"},
        {"serve.media"},
        {"serve.records", "serve.columns", "serve.parallel"},
        {"serve.variables"},
        {"serve.settings"},
        {"serve.diagnosis"},
        {"serve.schema"},
        {"serve.codecs"},
        {"serve.model"},
        {"serve.outputs"},
        {"serve.forecast", "serve.invocation"},
        {"serve.inference"},
        {"serve.self_test", "serve.openapi"},
        {"serve.http"},
        {"serve.app"},
    ],
    "deploy": [
        {"deploy.errors", "deploy.aws"},
        {"deploy.config"},
        {"deploy.preflight", "deploy.desired"},
        {"deploy.actual"},
        {"deploy.planning"},
        {"deploy.execution"},
        {"deploy.invoking"},
        {"deploy.cli"},
        {"deploy.__main__"},
    ],
}
# Where a third-party package, or the environment, may be imported.
HOMES: dict[str, set[str]] = {
    "flask": {"serve.app", "serve.http", "container.server", "local_test", "bench"},
    "werkzeug": {"serve.app", "serve.http", "serve.media.types", "local_test"},
    "xgboost": {"serve.model", "serve.outputs.explanations", "container.server", "model", "bench"},
    "gunicorn": {"container", "bench"},
    "boto3": {"deploy.aws", "local_test.app.endpoints.runtime_endpoint"},
    "botocore": {"deploy", "capacity.vcpus", "local_test.app.endpoints.runtime_endpoint"},
    "pandas": {"model", "bench"},
    "requests": {"local_test", "capacity", "bench"},
    "os": {
        "serve.settings",
        "serve.model.files.listing",
        "serve.model.files.reading",
        "container.asgi_server.worker",
        "container.entrypoint",
        "container.limits",
        "container.local_server",
        "container.startup",
        "container.trial",
        "local_test",
        "deploy",
        "capacity",
        "bench",
        "model",
    },
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    name_of(path): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "old_models" not in path.parts and ".work" not in path.parts
}


def imports_of(path: Path) -> set[str]:
    """Return the modules that a module imports, the project's own in full."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            own = names & MODULES.keys()
            found |= own
            if len(own) < len(names):
                found.add(node.module)
    return found


def is_in(module: str, places: set[str]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def layer_of(module: str) -> int:
    """Return the layer of a module in its package, -1 for the package's own ``__init__``."""
    layers = LAYERS[module.partition(".")[0]]
    return next((n for n, places in enumerate(layers) if is_in(module, places)), -1)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    """A module imports lower packages and layers only, and third-party packages where listed."""
    package = module.partition(".")[0]
    for imported in imports_of(MODULES[module]):
        of = imported.partition(".")[0]
        if of in PACKAGES:
            assert is_in(imported, {package, *PACKAGES[package]}), f"{module} imports {imported}"
        if of == package and package in LAYERS:
            assert layer_of(imported) <= layer_of(module), f"{module} imports {imported}"
        if of in HOMES:
            assert is_in(module, HOMES[of]), f"{module} imports {imported}"


def test_every_module_has_a_layer() -> None:
    """Each module of a layered package is in one of its layers."""
    assert [
        m for m in MODULES if m.partition(".")[0] in LAYERS and "." in m and layer_of(m) < 0
    ] == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests" / "adversary").rglob("*.py")), ids=lambda path: path.name
)
def test_adversary_is_independent(path: Path) -> None:
    """The readers and writers of tests/adversary share no code with the server."""
    assert [name for name in imports_of(path) if name.partition(".")[0] == "serve"] == []


def test_no_cycles() -> None:
    """No modules import each other in a circle."""
    graph = {module: imports_of(path) & MODULES.keys() for module, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")
