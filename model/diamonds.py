"""Write all 53,940 diamonds as CSV, in feature order and without the price, for `make batch`.

Usage: diamonds.py FILE
"""

import sys
from pathlib import Path

from train import TARGET, read_diamonds


def main() -> None:
    """Write FILE atomically: an interrupted run leaves no incomplete file of that name."""
    target = Path(sys.argv[1])
    incomplete = target.with_suffix(".part")
    read_diamonds().drop(columns=TARGET).to_csv(incomplete, index=False, header=False)
    incomplete.replace(target)


if __name__ == "__main__":
    main()
