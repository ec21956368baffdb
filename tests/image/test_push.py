"""`make push`, to a registry on this machine."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from serve import __version__
from tests.support.server import ROOT, free_port

DOCKER_V2 = "application/vnd.docker.distribution.manifest.v2+json"
OCI = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running docker-registry, the Debian package that .ci/run installs."""
    program = shutil.which("docker-registry")
    if program is None:
        # make never installs a package of the system, and macOS has none for this. .ci/run installs
        # it unless the package index cannot be reached.
        pytest.skip("docker-registry is not installed: apt-get install docker-registry")
    folder, port = tmp_path_factory.mktemp("registry"), free_port()
    config = folder / "config.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: 127.0.0.1:{port}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
    )
    with subprocess.Popen(
        [program, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                requests.get(f"http://127.0.0.1:{port}/v2/", timeout=1)
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        yield f"127.0.0.1:{port}"
        process.terminate()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean clone of this repository, with its image built."""
    folder = tmp_path_factory.mktemp("push") / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    make(folder, "image")
    return folder


def make(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [
        "make",
        "--no-print-directory",
        *arguments,
        "IMAGE=xgb-endpoint:push-test",
        "ARCH=amd64",
    ]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=600
    )


def test_push_uploads_a_docker_manifest(registry: str, clone: Path) -> None:
    """9: the pushed manifest is Docker v2, as CreateModel requires; a tag is never replaced."""
    outcome = make(clone, "push", f"REPOSITORY={registry}/xgb-endpoint")
    tags = requests.get(f"http://{registry}/v2/xgb-endpoint/tags/list", timeout=5).json()["tags"]
    manifest = requests.get(
        f"http://{registry}/v2/xgb-endpoint/manifests/{tags[0]}",
        headers={"Accept": f"{OCI}, {DOCKER_V2}"},
        timeout=5,
    )
    second_push = make(clone, "push", f"REPOSITORY={registry}/xgb-endpoint")

    assert outcome.returncode == 0, outcome.stderr
    assert manifest.headers["Content-Type"] == DOCKER_V2
    assert (
        outcome.stdout.strip()
        == f"{registry}/xgb-endpoint@{manifest.headers['Docker-Content-Digest']}"
    )
    revision = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        cwd=clone,
        capture_output=True,
        text=True,
        check=True,
    )
    assert tags == [f"{__version__}-{revision.stdout.strip()}-amd64"]
    assert second_push.returncode != 0
    assert "already exists, and tags are immutable" in second_push.stderr


def test_push_reports_what_is_missing(registry: str, clone: Path) -> None:
    """A missing repository or registry, and uncommitted changes, are reported in one line each."""
    assert "REPOSITORY is not set" in make(clone, "push").stderr
    assert (
        "pushing to 127.0.0.1:9 failed"
        in make(clone, "push", "REPOSITORY=127.0.0.1:9/xgb-endpoint").stderr
    )
    (clone / "new").touch()
    assert (
        "uncommitted changes" in make(clone, "push", f"REPOSITORY={registry}/xgb-endpoint").stderr
    )
