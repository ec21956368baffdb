"""The description of the API: /openapi.json, checked by other programs, and the page at /."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import requests

from tests.support.boosters import predict_with_xgboost, save_artifact, train
from tests.support.diamonds import ARTIFACT
from tests.support.responses import error_of, scores
from tests.support.server import ROOT, Server, running

# Installed by `make test`: schemathesis would add its own plugin to every run of pytest here.
PROGRAMS = ROOT / ".venv-openapi" / "bin"
SEED, EXAMPLES = "1", "60"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
RANDOM = np.random.default_rng(0)
ROWS = 60
FRAME = pd.DataFrame(
    {
        "a b": RANDOM.normal(size=ROWS),
        "city": pd.Categorical(RANDOM.choice(["Rome", 'Os"lo', "a,b"], ROWS)),
        "flag": RANDOM.random(ROWS) > 0.5,
    }
)
CLASSIFIER = train(FRAME, RANDOM.integers(0, 3, ROWS), objective="multi:softprob", num_class=3)
UNNAMED = train(RANDOM.normal(size=(ROWS, 2)), RANDOM.random((ROWS, 2)))


class Described(NamedTuple):
    """A running server, and its description."""

    server: Server
    document: dict[str, Any]
    folder: Path


@pytest.fixture(scope="module")
def described(models: Path) -> Iterator[dict[str, Described]]:
    """Return servers of models with different columns, outputs and examples."""
    classifier = save_artifact(CLASSIFIER, models / "described")
    schema = {
        "features": [{"name": name, "missing": name != "a b"} for name in FRAME],
        "ignore": ["id"],
        "prediction": {"classes": ["x", "y", "z"]},
    }
    (classifier / "schema.json").write_text(json.dumps(schema))
    folders = {
        "diamonds": ARTIFACT,
        "classifier": classifier,
        "unnamed": save_artifact(UNNAMED, models / "described-unnamed"),
    }
    with ExitStack() as stack:
        found = {}
        for name, folder in folders.items():
            server = stack.enter_context(running(folder))
            response = requests.get(f"{server.url}/openapi.json", timeout=10)
            assert response.headers["Content-Type"] == "application/json"
            path = models / f"{name}.openapi.json"
            path.write_text(response.text)
            found[name] = Described(server, response.json(), path)
        yield found


def run_program(name: str, *arguments: str | Path, folder: Path) -> str:
    """Run a program of .venv-openapi, and return what it printed."""
    if not (PROGRAMS / name).exists():
        # make test, and so CI, installs it. schemathesis registers plugins of pytest, so it has an
        # environment of its own, which may not exist if pytest is run by hand.
        pytest.skip(f"{PROGRAMS} does not exist: run make .venv-openapi/ready, or make test")
    command = [str(PROGRAMS / name), *map(str, arguments)]
    outcome = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


def run_schemathesis(
    described: Described, location: str | Path, *arguments: str, folder: Path
) -> None:
    arguments = ("--url", described.server.url, "--seed", SEED, "-n", EXAMPLES, *arguments)
    output = run_program("st", "run", location, *arguments, folder=folder)

    assert re.search(r"[1-9]\d* generated", output), output


def find_json_example(document: dict[str, Any]) -> Any:
    content = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    return content["application/json"]["example"]


def test_a_validator_accepts_every_document(
    described: dict[str, Described], tmp_path: Path
) -> None:
    """The documents are valid OpenAPI 3.1 for openapi-spec-validator."""
    paths = [path for _, _, path in described.values()]
    output = run_program("openapi-spec-validator", *paths, folder=tmp_path)

    assert output.count("OK") == len(paths)
    assert {document["openapi"] for _, document, _ in described.values()} == {"3.1.0"}


@pytest.mark.parametrize("name", ["diamonds", "classifier", "unnamed"])
def test_schemathesis_finds_nothing(
    described: dict[str, Described], name: str, tmp_path: Path
) -> None:
    """Random requests cause no 5xx, and no status, media type or body that is not documented."""
    location = f"{described[name].server.url}/openapi.json"
    run_schemathesis(described[name], location, "-c", ",".join(CHECKS), folder=tmp_path)


@pytest.mark.parametrize("name", ["diamonds", "classifier", "unnamed"])
def test_every_described_record_is_accepted(
    described: dict[str, Described], name: str, tmp_path: Path
) -> None:
    """JSON that the document allows is never rejected; only JSON's schema is that precise."""
    document = json.loads(json.dumps(described[name].document))
    content = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    for media_type in [key for key in content if key != "application/json"]:
        del content[media_type]
    path = tmp_path / "json.json"
    path.write_text(json.dumps(document))

    checks = ("-m", "positive", "-c", "positive_data_acceptance,status_code_conformance")
    run_schemathesis(described[name], path, *checks, folder=tmp_path)


def test_examples_are_predicted(described: dict[str, Described]) -> None:
    """The example of JSON is a record of the model; CSV's is the start of the self-test."""
    for name, booster in (("classifier", CLASSIFIER), ("unnamed", UNNAMED)):
        server, document, _ = described[name]
        example = find_json_example(document)
        (row,) = example["instances"]
        values = row if isinstance(row, list) else list(row.values())
        frame = pd.DataFrame([values], columns=list(row) if isinstance(row, dict) else None)
        if name == "classifier":
            frame = frame.astype({"city": FRAME["city"].dtype, "flag": bool})
        response = server.post(json.dumps(example), "application/json")
        np.testing.assert_array_equal(scores(response), predict_with_xgboost(booster, frame))

    invoke = described["diamonds"].document["paths"]["/invocations"]["post"]
    request = invoke["requestBody"]["content"]["text/csv"]["example"]
    expected = invoke["responses"]["200"]["content"]["text/csv"]["example"]
    response = described["diamonds"].server.post(request)
    np.testing.assert_allclose(scores(response), np.array(expected.split(), float), rtol=1e-5)
    assert request.splitlines()[0].startswith("carat,")
    assert len(request.splitlines()) == 4


def test_the_record_has_the_models_columns(described: dict[str, Described]) -> None:
    """A record has names, types, labels, what may be missing, and the ignored columns."""
    schemas = described["classifier"].document["components"]["schemas"]
    by_name, values = schemas["Record"], schemas["RecordList"]

    assert by_name["required"] == list(FRAME)
    assert by_name["properties"]["city"] == {"enum": [*FRAME["city"].cat.categories, None]}
    assert by_name["properties"]["a b"]["type"] == ["number"]
    assert by_name["properties"]["flag"]["type"] == ["number", "boolean", "null"]
    assert by_name["properties"]["id"] == {}
    assert not by_name["additionalProperties"]
    assert values["minItems"] == values["maxItems"] == len(FRAME.columns)
    unnamed = described["unnamed"].document["components"]["schemas"]
    assert "Record" not in unnamed
    assert unnamed["RecordList"]["minItems"] == 2


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("x,y", {}),
        ("1", {"Content-Type": "image/png"}),
        ("1", {"Accept": "image/png"}),
        ("1", {"Accept": "text/csv" + " " * 2000}),
        ("", {}),
    ],
)
def test_errors_are_documented(
    described: dict[str, Described], body: str, headers: dict[str, str]
) -> None:
    """3.10: each status is documented, with the names of its errors."""
    server, document, _ = described["unnamed"]
    response = server.post(body, headers.pop("Content-Type", "text/csv"), **headers)
    documented = document["paths"]["/invocations"]["post"]["responses"][str(response.status_code)]

    if response.status_code == 204:
        assert "content" not in documented
        return
    assert error_of(response)
    schema = documented["content"]["application/json"]["schema"]
    assert response.json()["error"] in schema["properties"]["error"]["enum"]
    assert sorted(response.json()) == sorted(schema["required"])


@pytest.mark.parametrize("name", ["diamonds", "classifier", "unnamed"])
def test_the_page_has_a_command_that_works(described: dict[str, Described], name: str) -> None:
    """GET / is plain text that says what this is, with a curl line that prints a prediction."""
    server = described[name].server
    page = requests.get(f"{server.url}/", timeout=10)
    (command,) = [line for line in page.text.splitlines() if line.startswith("curl ")]
    output = subprocess.run(
        [*shlex.split(command), "--silent", "--fail-with-body"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "XGBoost model" in page.text.splitlines()[0]
    assert "/openapi.json" in page.text
    line = shlex.split(command)[shlex.split(command).index("--data-binary") + 1]
    assert output == server.post(line).text
    if name == "unnamed":
        features = np.array([line.split(",")], np.float32)
        expected = predict_with_xgboost(UNNAMED, features)
        np.testing.assert_array_equal(np.array([output.split(",")], np.float32), expected)


@pytest.mark.parametrize("path", ["/", "/openapi.json"])
def test_other_methods(described: dict[str, Described], path: str) -> None:
    """3.14: the description can only be read, by GET and HEAD."""
    server = described["diamonds"].server
    head = requests.head(f"{server.url}{path}", timeout=10)
    post = requests.post(f"{server.url}{path}", timeout=10)

    assert (head.status_code, post.status_code) == (200, 405)
    assert "GET" in post.headers["Allow"]


def test_a_hostile_host_is_not_in_the_command(described: dict[str, Described]) -> None:
    """A Host header that is more than a host and a port does not become part of the command."""
    server = described["diamonds"].server
    page = requests.get(server.url, headers={"Host": "x;reboot"}, timeout=10)

    assert "reboot" not in page.text
