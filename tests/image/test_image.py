"""The image's configuration and contents."""

import subprocess

import pytest

from tests.support.diamonds import ARTIFACT
from tests.support.docker import IMAGE, docker, inspect
from tests.support.server import ROOT

MAX_MEGABYTES = 340


def list_files() -> list[str]:
    """Return the paths of all files in the image."""
    return docker(
        "run", "--rm", "--entrypoint", "find", IMAGE, "/", "-xdev", "-type", "f"
    ).stdout.splitlines()


def test_entrypoint_is_in_exec_form() -> None:
    """1.2 and 1.5: the entrypoint is in exec form, so signals reach it, and USER is not set."""
    config = inspect(IMAGE)["Config"]

    assert config["Entrypoint"] == ["python3", "/opt/xgb-endpoint/container/entrypoint.py"]
    assert config["User"] == ""


def test_labels() -> None:
    """1.8: the image has the labels of its capabilities, and OCI annotations."""
    labels = inspect(IMAGE)["Config"]["Labels"]
    capabilities = {
        name: value
        for name, value in labels.items()
        if name.startswith("com.amazonaws.sagemaker.capabilities.")
    }

    assert capabilities == {"com.amazonaws.sagemaker.capabilities.accept-bind-to-port": "true"}
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert {"title", "description", "version", "revision"} <= {
        name.rpartition(".")[2] for name in labels
    }


def test_size() -> None:
    """1.11: the unpacked image is at most 340 MB."""
    assert inspect(IMAGE)["Size"] / 1e6 <= MAX_MEGABYTES


def test_unused_files_are_removed() -> None:
    """The image has no tools, tests, AWS SDK, pandas or model; bytecode only of imports."""
    paths = list_files()
    site_packages = [path for path in paths if "/site-packages/" in path]

    for part in (
        "/pip/",
        "/setuptools/",
        "/pandas/",
        "/boto3/",
        "/botocore/",
        "/sklearn/",
        "/pytest/",
        "/tests/",
        "/ensurepip/",
    ):
        assert not [path for path in site_packages if part in path], part
    for name in ("gcc", "cc", "ld", "make", "pip", "pip3"):
        assert not [path for path in paths if path.endswith(f"/bin/{name}")], name
    assert not [path for path in paths if path.endswith((".ubj", "train.py"))]
    assert any("/xgboost/__pycache__/core." in path for path in paths)
    assert not any("/scipy/stats/__pycache__/_qmc." in path for path in paths)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["train"], 1, "this image only serves"),
        (["serve"], 1, "cannot serve: /opt/ml/model is not a directory"),
        (["fly"], 2, "invalid choice"),
    ],
)
def test_commands_that_fail(arguments: list[str], exit_code: int, message: str) -> None:
    """1.1: `train`, `serve` without a model and an unknown command fail with a message."""
    outcome = docker("run", "--rm", IMAGE, *arguments, check=False)

    assert outcome.returncode == exit_code
    assert message in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_check() -> None:
    """`check` runs in the image, without a network."""
    outcome = docker(
        "run",
        "--rm",
        "--network",
        "none",
        "--volume",
        f"{ARTIFACT}:/opt/ml/model:ro",
        IMAGE,
        "check",
    )

    records = len((ARTIFACT / "self-test" / "expected.csv").read_text().splitlines())
    assert f"self-test records       {records}\n" in outcome.stdout


def test_build_is_reproducible() -> None:
    """Two builds of the same commit have identical files."""
    listing = "find /opt /usr/local -xdev -type f -print0 | sort -z | xargs -0 sha256sum"
    second_image = f"{IMAGE}-again"
    subprocess.run(
        ["docker", "build", "--quiet", "--no-cache", "--tag", second_image, "."],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    first, second = (
        docker("run", "--rm", "--entrypoint", "sh", image, "-c", listing).stdout
        for image in (IMAGE, second_image)
    )
    docker("rmi", second_image)

    assert first.count("\n") > 1000
    assert first == second
