"""Prints a bill of materials (CycloneDX JSON) with the kernel, which no package installs.

Usage: sbom_kernel.py SBOM, which sbom.sh runs.
"""

import json
import sys
from pathlib import Path

from serve import __version__

NAME = "xgb-endpoint-kernel"
KERNEL = {
    "bom-ref": NAME,
    "description": "kernel/build/_forest.abi3.so, compiled from kernel/",
    "licenses": [{"license": {"acknowledgement": "declared", "id": "Apache-2.0"}}],
    "name": NAME,
    "type": "library",
    "version": __version__,
}


def main() -> None:
    """Print the bill of materials in the first argument, with the kernel as a component."""
    sbom = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sbom["components"].append(KERNEL)
    sbom["dependencies"].append({"ref": NAME})
    sys.stdout.write(f"{json.dumps(sbom, indent=2)}\n")


if __name__ == "__main__":
    main()
