"""The image's software bill of materials (SBOM)."""

import json
import subprocess
import sys
from pathlib import Path

from serve import __version__
from tests.support.docker import IMAGE, docker
from tests.support.server import ROOT

INSTALLED = (
    "import importlib.metadata as m; "
    "print(*sorted(f'{d.name.lower()} {d.version}' for d in m.distributions()), sep='\\n')"
)


def test_sbom_matches_the_image(tmp_path: Path) -> None:
    """The SBOM lists the kernel and exactly the installed packages; docs/licenses.md, licenses."""
    sbom_text = subprocess.run(
        ["container/sbom.sh"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    ).stdout
    (tmp_path / "sbom.json").write_text(sbom_text)
    sbom = json.loads(sbom_text)
    installed = docker(
        "run", "--rm", "--entrypoint", "python3", IMAGE, "-c", INSTALLED
    ).stdout.split("\n")
    licenses = subprocess.run(
        [sys.executable, "docs/licenses.py", str(tmp_path / "sbom.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert sbom["bomFormat"] == "CycloneDX"
    assert sbom["metadata"]["component"]["licenses"] == [
        {"license": {"acknowledgement": "declared", "id": "Apache-2.0"}}
    ]
    assert sorted(
        f"{component['name'].lower()} {component['version']}" for component in sbom["components"]
    ) == sorted([*filter(None, installed), f"xgb-endpoint-kernel {__version__}"])
    assert all(
        f"| {component['name']} | {component['version']} | " in licenses.stdout
        for component in sbom["components"]
    )
    assert licenses.stdout == (ROOT / "docs" / "licenses.md").read_text()
