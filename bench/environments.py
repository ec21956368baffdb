"""Virtual environments for the servers, one for each list of requirements."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.paths import ROOT, WORK
from bench.servers.spec import ServerSpec

INSTALL_SECONDS = 900
LOCK = ROOT / "container" / "requirements.txt"
# Interpreters for servers that do not support the newest Python. The variable PEER_PYTHON names one
# that is not on PATH.
OLDER_PYTHONS = (os.environ.get("PEER_PYTHON", ""), "python3.13", "python3.12", "python3.11")
PRINT_VERSIONS = """
import json, platform, sys
from importlib.metadata import version
packages = {name: version(name) for name in sys.argv[1:]}
print(json.dumps({"Python": platform.python_version(), **packages}))
"""


class Unavailable(Exception):
    """A server cannot be installed or started on this machine; the message says why."""


def has_environment(server: ServerSpec) -> bool:
    """Return whether the virtual environment of a server exists and is current."""
    marker = _marker(server)
    return marker.exists() and marker.read_text(encoding="utf-8") == _fingerprint(server)


def create_environment(server: ServerSpec) -> Path:
    """Return the interpreter of a server's virtual environment, and create it if necessary.

    Raises Unavailable if the installation fails.
    """
    folder = _folder(server)
    python = folder / "bin" / "python"
    if not has_environment(server):
        print(f"Installing {server.name} in {folder.relative_to(ROOT)}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _run(_find_interpreter(server), "-m", "venv", str(folder))
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run(*pip, "--only-binary", ":all:", *server.requirements)
        _marker(server).write_text(_fingerprint(server), encoding="utf-8")
    return python


def installed_versions(server: ServerSpec) -> dict[str, str]:
    """Return the versions of Python and of a server's packages in its virtual environment."""
    python = str(create_environment(server))
    versions: dict[str, str] = json.loads(_run(python, "-c", PRINT_VERSIONS, *server.packages))
    return versions


def _folder(server: ServerSpec) -> Path:
    return WORK / "venvs" / server.environment


def _marker(server: ServerSpec) -> Path:
    return _folder(server) / "ready"


def _fingerprint(server: ServerSpec) -> str:
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest() if server.environment == "ours" else ""
    return "\n".join([*server.requirements, lock])


def _find_interpreter(server: ServerSpec) -> str:
    """Return this interpreter, or an older one if the server needs it; raises Unavailable."""
    newest = server.newest_python
    if sys.version_info[:2] <= newest:
        return sys.executable
    supported = f"(3, 11) <= sys.version_info[:2] <= {newest}"
    check = f"import sys, ensurepip, venv; sys.exit(not {supported})"
    for name in filter(None, OLDER_PYTHONS):
        path = shutil.which(name)
        if path is None:
            continue
        if subprocess.run([path, "-c", check], capture_output=True, check=False).returncode == 0:
            return path
    raise Unavailable(
        f"it supports Python {newest[0]}.{newest[1]} or older, which is not on PATH; "
        "set PEER_PYTHON to an interpreter"
    )


def _run(*command: str) -> str:
    """Run a command in the project's root and return its output.

    Raises Unavailable with the last line of its output if it fails.
    """
    try:
        process = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[2]} took more than {INSTALL_SECONDS} s") from None
    if process.returncode:
        output = process.stderr.strip() or process.stdout.strip()
        last_line = output.splitlines()[-1] if output else "(no output)"
        raise Unavailable(last_line)
    return process.stdout
