"""Writes all 53,940 diamonds without their price, a line each, in the order of the features: what `make batch` transforms.

Usage: diamonds.py FILE
"""

import sys
from pathlib import Path

from train import TARGET, read_diamonds


def main() -> None:
    """Write the file that the first argument names, whole or not at all."""
    target = Path(sys.argv[1])
    part = target.with_suffix(".part")
    read_diamonds().drop(columns=TARGET).to_csv(part, index=False, header=False)
    part.replace(target)


if __name__ == "__main__":
    main()
