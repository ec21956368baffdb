"""`make push` gives the password for ECR to ECR alone; docker and aws are replaced by programs."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.server import ROOT

PUSH = ROOT / "container" / "push.sh"
PROGRAMS = {
    "docker": """#!/bin/sh
case "$*" in
"image inspect"*RepoDigests*) echo "$REPOSITORY@sha256:0" ;;
"image inspect"*) echo revision ;;
"manifest inspect"*) exit 1 ;;
login*) echo "$* $(cat)" >> "$LOGINS" ;;
esac
""",
    "aws": """#!/bin/sh
echo "password for $4"
""",
}
ACCOUNT = "123456789012"


def push(folder: Path, repository: str) -> "tuple[subprocess.CompletedProcess[str], str]":
    """Run push.sh; return its outcome, and the logins with their passwords."""
    for name, program in PROGRAMS.items():
        (folder / name).write_text(program)
        (folder / name).chmod(0o755)
    clone = folder / "clone"
    subprocess.run(["git", "init", "--quiet", clone], check=True)
    logins = folder / "logins"
    logins.touch()
    environment = os.environ | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "LOGINS": str(logins),
        "REPOSITORY": repository,
    }
    outcome = subprocess.run(
        [PUSH, repository, "image", "1", "revision", "amd64"],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return outcome, logins.read_text()


@pytest.mark.parametrize(
    ("host", "region"),
    [
        (f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1"),
        (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        (f"{ACCOUNT}.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
    ],
)
def test_ecr_gets_its_password(tmp_path: Path, host: str, region: str) -> None:
    """A registry of ECR, in any partition, gets the password of its region."""
    outcome, logins = push(tmp_path, f"{host}/name")

    assert outcome.returncode == 0, outcome.stderr
    assert logins == f"login --username AWS --password-stdin {host} password for {region}\n"


@pytest.mark.parametrize(
    "host",
    [
        f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
        f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com.evil.example:443",
        f"{ACCOUNT}.dkr.ecr.evil.example.amazonaws.comevil.example",
        f"evil.example:80@{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com.example",
        f"evil.example\n{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com",
        ".dkr.ecr.eu-west-1.amazonaws.com",
        "evil.dkr.ecr.eu-west-1.amazonaws.com",
    ],
)
def test_no_other_host_gets_a_password(tmp_path: Path, host: str) -> None:
    """A name that only resembles one of ECR is an error, and no password is sent."""
    outcome, logins = push(tmp_path, f"{host}/name")

    assert outcome.returncode == 1
    assert "is not a registry of ECR" in outcome.stderr
    assert logins == ""


def test_other_registries_get_no_password(tmp_path: Path) -> None:
    """A registry with another name is used with the login that Docker has."""
    outcome, logins = push(tmp_path, "registry.example/name")

    assert outcome.returncode == 0, outcome.stderr
    assert logins == ""
