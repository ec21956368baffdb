"""Run a function as a user whom file permissions stop: as nobody if the tests run as root."""

import os
import subprocess
import sys
from collections.abc import Mapping

from tests.support.server import ROOT

NOBODY = 65534
USER = os.geteuid() or NOBODY
IS_ROOT = os.geteuid() == 0
CHANGE_USER = f"import os; os.setgroups([]); os.setgid({USER}); os.setuid({USER})"


def run_unprivileged(
    module: str, call: str, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Import all names of a module, and evaluate a call of them as USER."""
    # The interpreter may be in root's home, so everything is imported before the user changes.
    lines = [f"from {module} import *", CHANGE_USER if IS_ROOT else "", call]
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
