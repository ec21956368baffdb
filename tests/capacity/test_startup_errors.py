"""Errors that end a load test before it generates load, each in one line."""

import gzip
import json
import shutil
from pathlib import Path

import moto
import pytest

from capacity.vcpus import FAMILIES, UnknownVcpus, list_instance_types, look_up_vcpus
from tests.support.diamonds import ARTIFACT
from tests.support.load_tests import run_capacity, run_server, send_empty_response
from tests.support.server import Server, free_port


def startup_error(*options: str) -> str:
    """Return the line with which a load test ends before its first step."""
    run = run_capacity(*options)

    assert run.exit_code in (1, 2)
    assert run.stdout == ""
    assert "offered/s" not in run.stderr
    return run.stderr.strip().splitlines()[-1]


def test_no_listener() -> None:
    """A URL that refuses connections is reported with the URL."""
    url = f"http://127.0.0.1:{free_port()}"

    assert f"cannot connect to {url}" in startup_error("--url", url)


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "https://127.0.0.1",
        "http://127.0.0.1:80/invocations",
        "http://127.0.0.1:x",
    ],
)
def test_invalid_url(url: str) -> None:
    """A URL that is not http://HOST:PORT is rejected with the name of the option."""
    assert startup_error("--url", url).startswith("Error: --url: ")


def test_default_payload_is_the_self_test_of_the_model(diamonds: Server, tmp_path: Path) -> None:
    """Without --payload, the self-test's request is sent, wherever the model's folder is."""
    self_test = tmp_path / "packed" / "self-test"
    self_test.mkdir(parents=True)
    shutil.copy(ARTIFACT / "model.ubj", self_test.parent)
    (self_test / "request.csv").write_text("1,2\n")
    (self_test / "expected.csv").write_text("1\n")

    assert "expected 9 columns, got 2" in startup_error(
        "--url", diamonds.url, "--folder", str(tmp_path)
    )


@pytest.mark.parametrize(
    ("payload", "media_type", "status"), [("1,abc\n", "text/csv", 400), ("1\n", "image/png", 415)]
)
def test_rejected_payload(
    diamonds: Server, tmp_path: Path, payload: str, media_type: str, status: int
) -> None:
    """A rejected payload ends the test with the server's message and the options to change."""
    file = tmp_path / "payload"
    file.write_text(payload)
    response = diamonds.post(payload, media_type)
    line = startup_error(
        "--url", diamonds.url, "--payload", str(file), "--content-type", media_type
    )

    assert response.status_code == status
    assert f"{status}: " in line
    assert response.json()["message"] in line
    assert "--payload and --content-type" in line


def test_failing_server() -> None:
    """A server that fails the first request is not load-tested."""
    with run_server(lambda handler, _: send_empty_response(handler, 503)) as url:
        assert "the first request failed with 503" in startup_error("--url", url)


def test_objective_that_the_generator_cannot_meet(diamonds: Server) -> None:
    """A latency that the load generator itself cannot meet is rejected."""
    assert "the load generator itself cannot meet the objective" in startup_error(
        "--url", diamonds.url, "--p99-ms", "0.01"
    )


@pytest.mark.parametrize(
    ("instance_type", "message"),
    [
        ("ml.c6i.lrage", "did you mean ml.c6i.large?"),
        ("ml.c99z.large", "unknown instance type ml.c99z.large"),
        ("ml.g5.xlarge", "only those of the common CPU families"),
        ("ml.c4.8xlarge", "only those of the common CPU families"),
    ],
)
def test_unknown_vcpus(instance_type: str, message: str) -> None:
    """An instance type with unknown vCPUs is rejected, and the message suggests --vcpus."""
    line = startup_error("--instance-type", instance_type)

    assert message in line
    assert "--vcpus" in line


def test_vcpus_match_ec2() -> None:
    """Every type in the known families has the vCPUs of EC2's list, of which moto has a copy."""
    path = Path(moto.__file__).parent / "ec2" / "resources" / "instance_types.json.gz"
    ec2 = json.loads(gzip.decompress(path.read_bytes()))
    types = [name for name in list_instance_types() if name.split(".")[1] in FAMILIES]

    assert len(types) > 150
    assert {name: look_up_vcpus(name) for name in types} == {
        name: ec2[name.removeprefix("ml.")]["VCpuInfo"]["DefaultVCpus"] for name in types
    }


def test_accelerated_types_are_not_guessed() -> None:
    """The vCPUs of types in other families are never guessed."""
    for name in list_instance_types():
        if name.split(".")[1] not in FAMILIES:
            with pytest.raises(UnknownVcpus):
                look_up_vcpus(name)


def test_missing_directory_for_the_plot(tmp_path: Path) -> None:
    """A plot path in a missing directory is rejected before the test starts."""
    assert "does not exist" in startup_error("--plot", str(tmp_path / "none" / "plot.svg"))
