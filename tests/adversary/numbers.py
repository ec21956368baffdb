"""Compare the server's predictions with XGBoost's, for random payloads of every documented form.

A payload is reproduced by its seed and index alone. Exit code 1 means that a response was wrong.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.adversary.attack import Tally, attack
from tests.adversary.generator import BLOCK, choose_model
from tests.adversary.recipes import RECIPES
from tests.adversary.report import format_summary, write_findings
from tests.adversary.runner import Budget, run
from tests.adversary.servers import serving
from tests.adversary.training import train

NAMES = list(RECIPES)


def main() -> int:
    """Run the attack that the command line asks for; return 1 if there are findings."""
    options = _parse_options()
    names = options.model or NAMES
    if options.index is not None:
        names = [choose_model(options.seed, options.index // BLOCK, NAMES)]
    with tempfile.TemporaryDirectory() as folder:
        models = {name: train(name, RECIPES[name], Path(folder, name)) for name in names}
        with serving(list(models.values())) as servers:
            start = time.monotonic()
            if options.index is not None:
                model, server = models[names[0]], servers[names[0]]
                tally = attack(options.seed, [options.index], model, server.address)
            else:
                budget = Budget(options.seconds, options.payloads)
                tally = run(options.seed, budget, NAMES, models, servers)
            seconds = time.monotonic() - start
        if tally.findings:
            write_findings(tally.findings, models, options.seed, options.output)
    return _report(tally, seconds)


def _report(tally: Tally, seconds: float) -> int:
    print(format_summary(tally, seconds))
    return 1 if tally.findings else 0


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.adversary.numbers", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long to send payloads (60)")
    parser.add_argument("--payloads", type=int, help="stop after this many payloads")
    parser.add_argument("--seed", type=int, default=1, help="the seed of all payloads (1)")
    parser.add_argument("--index", type=int, help="send only the payload with this index")
    parser.add_argument(
        "--model", action="append", choices=NAMES, help="attack only this model; repeatable"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("adversary-findings"),
        help="folder for the files that reproduce findings (adversary-findings)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
