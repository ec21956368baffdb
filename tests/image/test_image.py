"""What is in the image, and what is not."""

import subprocess

import pytest

from tests.support.diamonds import ARTIFACT
from tests.support.docker import IMAGE, docker, inspect
from tests.support.server import ROOT

MOST_MEGABYTES = 340


def files() -> list[str]:
    """Return the paths of all files of the image."""
    return docker(
        "run", "--rm", "--entrypoint", "find", IMAGE, "/", "-xdev", "-type", "f"
    ).stdout.splitlines()


def test_the_entrypoint_is_in_exec_form() -> None:
    """1.2: signals reach the server itself, and no shell; 1.5: there is no USER."""
    config = inspect(IMAGE)["Config"]

    assert config["Entrypoint"] == ["python3", "/opt/xgb-endpoint/container/entrypoint.py"]
    assert config["User"] == ""


def test_labels() -> None:
    """1.8: the capabilities that the code has, and no other; the OCI annotations."""
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
    """1.11: 340 MB unpacked is the line."""
    assert inspect(IMAGE)["Size"] / 1e6 <= MOST_MEGABYTES


def test_what_never_runs_is_not_in_it() -> None:
    """No installer, compiler, tests, training code, AWS SDK, pandas or model; compiled files only of what is imported."""
    paths = files()
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
    ("arguments", "exit_code", "words"),
    [
        (["train"], 1, "this image only serves"),
        (["serve"], 1, "cannot serve: /opt/ml/model is not a directory"),
        (["fly"], 2, "invalid choice"),
    ],
)
def test_verbs_that_fail(arguments: list[str], exit_code: int, words: str) -> None:
    """1.1: `train` says that the image only serves; `serve` without a model says so."""
    outcome = docker("run", "--rm", IMAGE, *arguments, check=False)

    assert outcome.returncode == exit_code
    assert words in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_check() -> None:
    """`check` tells of an artifact what the server would decide of it in this very image."""
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

    assert "self-test records       10" in outcome.stdout


def test_two_builds_have_the_same_files() -> None:
    """Supply chain: the image of a commit does not depend on when it is built."""
    listing = "find /opt /usr/local -xdev -type f -print0 | sort -z | xargs -0 sha256sum"
    again = f"{IMAGE}-again"
    subprocess.run(
        ["docker", "build", "--quiet", "--no-cache", "--tag", again, "."],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    first, second = (
        docker("run", "--rm", "--entrypoint", "sh", image, "-c", listing).stdout
        for image in (IMAGE, again)
    )
    docker("rmi", again)

    assert first.count("\n") > 1000
    assert first == second
