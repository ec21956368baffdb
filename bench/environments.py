"""The throw-away virtual environments that the servers run in, one for each list of requirements."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.peers.peer import Peer
from bench.places import ROOT, WORK

INSTALL_SECONDS = 900
LOCK = ROOT / "container" / "requirements.txt"
# For peers that do not run on the newest Python; the variable PEER_PYTHON names an interpreter that is not on PATH.
OLDER = (os.environ.get("PEER_PYTHON", ""), "python3.13", "python3.12", "python3.11")
VERSIONS = """
import json, platform, sys
from importlib.metadata import version
print(json.dumps({"Python": platform.python_version(), **{name: version(name) for name in sys.argv[1:]}}))
"""


class Unavailable(Exception):
    """A peer cannot be installed or started here; the message says why."""


def is_ready(peer: Peer) -> bool:
    """Tell whether the environment of a peer is there."""
    return _mark(peer).exists() and _mark(peer).read_text(encoding="utf-8") == _wanted(peer)


def environment(peer: Peer) -> Path:
    """Return the interpreter of a peer's environment, which is made if it is not there; raises Unavailable."""
    python = _folder(peer) / "bin" / "python"
    if not is_ready(peer):
        print(f"Setting up {peer.name} in {_folder(peer).relative_to(ROOT)}", flush=True)
        shutil.rmtree(_folder(peer), ignore_errors=True)
        _run(_interpreter(peer), "-m", "venv", str(_folder(peer)))
        wheels = ["--only-binary", ":all:", *peer.requirements]
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wheels)
        _mark(peer).write_text(_wanted(peer), encoding="utf-8")
    return python


def versions(peer: Peer) -> dict[str, str]:
    """Return what a peer's environment really holds: the versions of its Python and of its packages."""
    found: dict[str, str] = json.loads(_run(str(environment(peer)), "-c", VERSIONS, *peer.packages))
    return found


def _folder(peer: Peer) -> Path:
    return WORK / "venvs" / peer.environment


def _mark(peer: Peer) -> Path:
    return _folder(peer) / "ready"


def _wanted(peer: Peer) -> str:
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest() if peer.environment == "ours" else ""
    return "\n".join([*peer.requirements, lock])


def _interpreter(peer: Peer) -> str:
    """Return the interpreter of this very process, or an older one where the peer needs it; raises Unavailable."""
    if sys.version_info[:2] <= peer.newest_python:
        return sys.executable
    check = f"import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= {peer.newest_python})"
    for name in filter(None, OLDER):
        path = shutil.which(name)
        if (
            path
            and subprocess.run([path, "-c", check], capture_output=True, check=False).returncode
            == 0
        ):
            return path
    newest = ".".join(map(str, peer.newest_python))
    raise Unavailable(
        f"it needs Python {newest} or older, and none runs here: name one with PEER_PYTHON"
    )


def _run(*command: str) -> str:
    """Run a command in the project's folder and return its output; raises Unavailable with its last words."""
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[2]} took more than {INSTALL_SECONDS} s") from None
    if done.returncode:
        raise Unavailable(
            (done.stderr.strip() or done.stdout.strip() or "it failed without a word").splitlines()[
                -1
            ]
        )
    return done.stdout
