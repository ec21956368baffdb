"""Prints the licences of what the image installs, as Markdown, from its bill of materials.

Usage: licences.py SBOM; make sbom does it.
"""

import json
import sys
from pathlib import Path
from typing import Any

# What a package says in its LICENSE file alone.
UNDECLARED = {"pysimdjson": "MIT"}


def main() -> None:
    """Print a line for each component of the file that the first argument names."""
    components = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["components"]
    print(
        "# Licences of what the image installs\n\nWritten by `make sbom`, from what each package declares.\n"
    )
    print("| package | version | licence |\n| --- | --- | --- |")
    for each in sorted(components, key=lambda component: component["name"].lower()):
        print(f"| {each['name']} | {each['version']} | {licence_of(each)} |")


def licence_of(component: dict[str, Any]) -> str:
    """Return what a component declares, by its identifier, its expression or its name."""
    if "licenses" not in component:
        return UNDECLARED[component["name"]]
    declared = component["licenses"][0]
    licence = declared.get("license", {})
    name: str = declared.get("expression") or licence.get("id") or licence["name"]
    return name.removeprefix("License :: OSI Approved :: ")


if __name__ == "__main__":
    main()
