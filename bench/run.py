"""Measures this server against peers and floors in one run, its groups of cells in random order, and writes bench/results.

A quick run writes into the ignored folder bench/.work/results instead.
Usage: run.py [--quick] [--rounds N] [--only SERVER ...]
"""

import argparse
import random
import time
from dataclasses import dataclass, field, replace

from bench import report
from bench.environments import Unavailable, environment, is_ready, versions
from bench.extras import extras
from bench.floors import floors
from bench.grid import Plan, in_process_cells, plan
from bench.measure import measure, warm_up
from bench.models import SEED, Served, served
from bench.peers import OURS, SERVERS
from bench.places import RESULTS, ROOT, WORK
from bench.processes import pss_bytes
from bench.results import Results, Start, machine
from bench.running import WrongAnswer, running
from bench.wrk import check_wrk

IN_PROCESS = "in process"


def main() -> None:
    """Run, write, print."""
    arguments = _arguments()
    check_wrk()
    chosen = plan(quick=arguments.quick)
    chosen = replace(chosen, rounds=arguments.rounds or chosen.rounds)
    if arguments.only:
        chosen = replace(
            chosen,
            cells={name: cells for name, cells in chosen.cells.items() if name in arguments.only},
        )
    began = time.monotonic()
    results = Results(machine())
    results.machine["run"] = (
        f"{'make bench-quick' if arguments.quick else 'make bench'}, {chosen.rounds} rounds"
    )
    set_up(chosen, results)
    models = {name: served(name) for name in _models(chosen)}
    Run(chosen, models, results).rounds()
    for peer in OURS[: 1 if arguments.quick else None]:
        if (
            peer.name in chosen.cells
            and {"a", "b"} <= models.keys()
            and (arguments.quick or "c" in models)
        ):
            _say(f"extra measurements of {peer.name}")
            results.extras += extras(peer, models, quick=arguments.quick)
    results.machine["minutes"] = f"{(time.monotonic() - began) / 60:.1f}"
    folder = WORK / "results" if arguments.quick or arguments.only else RESULTS
    print(report.write(results, folder))
    _say(f"written to {folder.relative_to(ROOT)}")


def set_up(chosen: Plan, results: Results) -> None:
    """Make the environment of each server, and note those that cannot be had."""
    for name in chosen.cells:
        peer = SERVERS[name]
        if name in chosen.only_ready and not is_ready(peer):
            results.missing[name] = "its environment is not there: make bench makes it"
            continue
        try:
            environment(peer)
            results.versions[name] = versions(peer)
        except Unavailable as error:
            results.missing[name] = f"it cannot be installed: {error}"
    for name, reason in results.missing.items():
        _say(f"without {name}: {reason}")


@dataclass
class Run:
    """One run: what is to be measured on which models, and what was found so far."""

    plan: Plan
    models: dict[str, Served]
    results: Results
    shuffle: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311  # an order, not a secret

    def rounds(self) -> None:
        """Measure every cell once a round; only one server runs at a time, so that none that idles disturbs."""
        deadline = time.monotonic() + self.plan.most_minutes * 60
        for round_ in range(self.plan.rounds):
            groups = self._groups()
            for place, (name, model) in enumerate(groups, 1):
                if time.monotonic() > deadline:
                    self.results.machine["run"] += f", out of time in round {round_ + 1}"
                    return
                _say(
                    f"round {round_ + 1} of {self.plan.rounds}, {place} of {len(groups)}: {name}, model {model}"
                )
                if name == IN_PROCESS:
                    self._floors(self.models[model], round_)
                elif name not in self.results.missing:
                    self._loads(name, self.models[model], round_)

    def _groups(self) -> list[tuple[str, str]]:
        """Return the pairs of a server and a model in random order."""
        groups = [
            (name, model)
            for name, cells in self.plan.cells.items()
            for model in sorted({cell.model for cell in cells})
        ]
        groups += [
            (IN_PROCESS, model)
            for model in sorted({cell.model for cell in in_process_cells(self.plan.cells)})
        ]
        self.shuffle.shuffle(groups)
        return groups

    def _floors(self, model: Served, round_: int) -> None:
        cells = [cell for cell in in_process_cells(self.plan.cells) if cell.model == model.name]
        self.results.floors += floors(model, cells, round_)

    def _loads(self, name: str, model: Served, round_: int) -> None:
        """Start a server, load it with its cells of one model in random order, stop it."""
        cells = [cell for cell in self.plan.cells[name] if cell.model == model.name]
        self.shuffle.shuffle(cells)
        try:
            with running(SERVERS[name], model) as server:
                warm_up(server, cells[0].media_type)
                pss = pss_bytes(server.pid)
                self.results.measurements += [
                    measure(server, cell, round_, self.plan.seconds[cell.rows]) for cell in cells
                ]
                loaded = pss_bytes(server.pid)
                self.results.starts.append(
                    Start(name, model.name, round_, server.start_seconds, pss / 1e6, loaded / 1e6)
                )
        except (Unavailable, WrongAnswer, OSError) as error:
            self.results.missing[name] = f"it does not start with model {model.name}: {error}"
            _say(f"without {name} from now on: {self.results.missing[name]}")


def _models(chosen: Plan) -> list[str]:
    return sorted({cell.model for cells in chosen.cells.values() for cell in cells})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench.run", description="measure this server against peers and floors"
    )
    parser.add_argument("--quick", action="store_true", help="fewer servers, cells and rounds")
    parser.add_argument(
        "--rounds", type=int, help="how many rounds, by default five, or two of the quick ones"
    )
    parser.add_argument("--only", nargs="+", choices=SERVERS, help="only these servers")
    return parser.parse_args()


def _say(words: str) -> None:
    print(time.strftime("%H:%M:%S"), words, flush=True)


if __name__ == "__main__":
    main()
