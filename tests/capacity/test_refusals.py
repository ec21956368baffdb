"""Capacity: what ends a load test before it begins, each in one line."""

import gzip
import json
from pathlib import Path

import moto
import pytest

from capacity.vcpus import FAMILIES, UnknownVcpus, instance_types, vcpus_of
from tests.support.load_tests import answering, capacity, whole
from tests.support.server import Server, free_port


def refusal(*options: str) -> str:
    """Return the one line with which a load test ends before its first step."""
    outcome = capacity(*options)

    assert outcome.code in (1, 2)
    assert outcome.out == ""
    assert "asked/s" not in outcome.err
    return outcome.err.strip().splitlines()[-1]


def test_nobody_there() -> None:
    """A URL on which nothing listens is said to be such."""
    url = f"http://127.0.0.1:{free_port()}"

    assert f"nothing listens on {url}" in refusal("--url", url)


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "https://127.0.0.1",
        "http://127.0.0.1:80/invocations",
        "http://127.0.0.1:x",
    ],
)
def test_what_is_no_address(url: str) -> None:
    """A URL that is not http://HOST:PORT is refused under the option's name."""
    assert refusal("--url", url).startswith("Error: --url: ")


@pytest.mark.parametrize(
    ("payload", "media_type", "status"), [("1,abc\n", "text/csv", 400), ("1\n", "image/png", 415)]
)
def test_a_refused_payload(
    diamonds: Server, tmp_path: Path, payload: str, media_type: str, status: int
) -> None:
    """A payload that the server refuses ends the test at once, with the server's own message and the options to change."""
    file = tmp_path / "payload"
    file.write_text(payload)
    own = diamonds.post(payload, media_type)
    line = refusal("--url", diamonds.url, "--payload", str(file), "--content-type", media_type)

    assert own.status_code == status
    assert f"{status} " in line
    assert own.json()["message"] in line
    assert "--payload and --content-type" in line


def test_a_failing_server() -> None:
    """A server that fails from the start is not loaded."""
    with answering(lambda handler, _: whole(handler, 503)) as url:
        assert "answered the first invocation with 503" in refusal("--url", url)


def test_an_objective_beyond_the_generator(diamonds: Server) -> None:
    """A latency that the load generator itself never keeps says nothing about a server."""
    assert "the load generator itself does not keep" in refusal(
        "--url", diamonds.url, "--p99-ms", "0.01"
    )


@pytest.mark.parametrize(
    ("instance_type", "said"),
    [
        ("ml.c6i.lrage", "did you mean ml.c6i.large?"),
        ("ml.c99z.large", "boto3 knows no instance type"),
        ("ml.g5.xlarge", "only those of the CPU families"),
        ("ml.c4.8xlarge", "only those of the CPU families"),
    ],
)
def test_unknown_vcpus(instance_type: str, said: str) -> None:
    """A type whose vCPU are not known is refused, and --vcpus is the way out."""
    line = refusal("--instance-type", instance_type)

    assert said in line
    assert "--vcpus" in line


def test_vcpus_are_those_of_ec2() -> None:
    """Each instance type of the known families has the vCPU that moto's copy of EC2's own list says."""
    ec2 = json.loads(
        gzip.decompress(
            (
                Path(moto.__file__).parent / "ec2" / "resources" / "instance_types.json.gz"
            ).read_bytes()
        )
    )
    types = [name for name in instance_types() if name.split(".")[1] in FAMILIES]

    assert len(types) > 150
    assert {name: vcpus_of(name) for name in types} == {
        name: ec2[name.removeprefix("ml.")]["VCpuInfo"]["DefaultVCpus"] for name in types
    }


def test_accelerated_types_are_not_guessed() -> None:
    """Of all other types none is guessed."""
    for name in instance_types():
        if name.split(".")[1] not in FAMILIES:
            with pytest.raises(UnknownVcpus):
                vcpus_of(name)


def test_no_folder_for_the_plot(tmp_path: Path) -> None:
    """A plot that could not be written is refused before the load, not after it."""
    assert "there is no folder" in refusal("--plot", str(tmp_path / "none" / "plot.svg"))
