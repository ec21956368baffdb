"""The image's bill of materials."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.docker import IMAGE, docker
from tests.support.server import ROOT

INSTALLED = "import importlib.metadata as m; print(*sorted(f'{d.name.lower()} {d.version}' for d in m.distributions()), sep='\\n')"


def test_the_bill_of_materials_is_that_of_the_image(tmp_path: Path) -> None:
    """It lists the packages installed in the image and their licenses; licenses.md is current."""
    written = subprocess.run(
        ["container/sbom.sh"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    ).stdout
    (tmp_path / "sbom.json").write_text(written)
    bill = json.loads(written)
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

    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["licenses"] == [
        {"license": {"acknowledgement": "declared", "id": "Apache-2.0"}}
    ]
    assert sorted(f"{each['name'].lower()} {each['version']}" for each in bill["components"]) == [
        line for line in installed if line
    ]
    assert all(
        f"| {each['name']} | {each['version']} | " in licenses.stdout for each in bill["components"]
    )
    assert licenses.stdout == (ROOT / "docs" / "licenses.md").read_text()
