"""Runs the benchmark and writes bench/results: every server, model and workload in random order.

A partial run (--quick or --only) writes to bench/.work/results instead, which Git ignores.
Usage: run.py [--quick] [--rounds N] [--only SERVER ...]
"""

import argparse
import random
import time
from dataclasses import dataclass, field, replace

from bench import report
from bench.environments import (
    Unavailable,
    create_environment,
    has_environment,
    installed_versions,
)
from bench.in_process import time_in_process
from bench.machine import describe_machine
from bench.measure import measure, warm_up
from bench.models import SEED, BenchModel, load_model
from bench.paths import RESULTS, ROOT, WORK
from bench.plan import Plan, build_plan, in_process_workloads
from bench.process_tree import pss_bytes
from bench.results import Results, ServerStart
from bench.scenarios import run_scenarios
from bench.server_process import WrongResponse, run_server
from bench.servers import OURS, SERVERS
from bench.wrk import check_wrk

IN_PROCESS = "in process"


def main() -> None:
    """Run the benchmark, write its results, and print the report."""
    arguments = _parse_arguments()
    check_wrk()
    plan = _choose_plan(arguments)
    start = time.monotonic()
    results = Results(describe_machine())
    target = "make bench-quick" if arguments.quick else "make bench"
    results.machine["run"] = f"{target}, {plan.rounds} rounds"
    set_up(plan, results)
    models = {name: load_model(name) for name in _model_names(plan)}
    Benchmark(plan, models, results).run()
    _run_scenarios(plan, models, results, quick=arguments.quick)
    results.machine["minutes"] = f"{(time.monotonic() - start) / 60:.1f}"
    folder = WORK / "results" if arguments.quick or arguments.only else RESULTS
    print(report.write_report(results, folder))
    _log(f"results written to {folder.relative_to(ROOT)}")


def set_up(plan: Plan, results: Results) -> None:
    """Create each server's virtual environment, and record the servers that cannot be installed."""
    for name in plan.workloads:
        server = SERVERS[name]
        if name in plan.only_if_installed and not has_environment(server):
            results.missing[name] = "not installed; `make bench` installs it"
            continue
        try:
            create_environment(server)
            results.versions[name] = installed_versions(server)
        except Unavailable as error:
            results.missing[name] = f"cannot be installed: {error}"
    for name, reason in results.missing.items():
        _log(f"skipping {name}: {reason}")


@dataclass
class Benchmark:
    """One run of the benchmark: its plan, its models, and the results so far."""

    plan: Plan
    models: dict[str, BenchModel]
    results: Results
    rng: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311  # an order, not a secret

    def run(self) -> None:
        """Measure every workload once per round.

        Only one server runs at a time, so idle servers do not disturb the measurement.
        """
        deadline = time.monotonic() + self.plan.max_minutes * 60
        for round_ in range(self.plan.rounds):
            pairs = self._shuffled_pairs()
            for number, (name, model) in enumerate(pairs, 1):
                if time.monotonic() > deadline:
                    self.results.machine["run"] += f", out of time in round {round_ + 1}"
                    return
                progress = f"round {round_ + 1} of {self.plan.rounds}, {number} of {len(pairs)}"
                _log(f"{progress}: {name}, model {model}")
                if name == IN_PROCESS:
                    self._time_in_process(self.models[model], round_)
                elif name not in self.results.missing:
                    self._measure_server(name, self.models[model], round_)

    def _shuffled_pairs(self) -> list[tuple[str, str]]:
        """Return the pairs of server and model in random order."""
        workloads = {
            **self.plan.workloads,
            IN_PROCESS: tuple(in_process_workloads(self.plan.workloads)),
        }
        pairs = [
            (name, model)
            for name, server_workloads in workloads.items()
            for model in sorted({workload.model for workload in server_workloads})
        ]
        self.rng.shuffle(pairs)
        return pairs

    def _time_in_process(self, model: BenchModel, round_: int) -> None:
        workloads = in_process_workloads(self.plan.workloads)
        model_workloads = [workload for workload in workloads if workload.model == model.name]
        self.results.in_process += time_in_process(model, model_workloads, round_)

    def _measure_server(self, name: str, model: BenchModel, round_: int) -> None:
        """Start a server, measure its workloads of one model in random order, and stop it."""
        workloads = [
            workload for workload in self.plan.workloads[name] if workload.model == model.name
        ]
        self.rng.shuffle(workloads)
        try:
            with run_server(SERVERS[name], model) as server:
                warm_up(server, workloads[0].media_type)
                pss = pss_bytes(server.pid)
                for workload in workloads:
                    seconds = self.plan.seconds[workload.rows]
                    self.results.measurements.append(measure(server, workload, round_, seconds))
                self.results.starts.append(
                    ServerStart(
                        server=name,
                        model=model.name,
                        round=round_,
                        start_seconds=server.start_seconds,
                        pss_mb=pss / 1e6,
                        pss_after_load_mb=pss_bytes(server.pid) / 1e6,
                    )
                )
        except (Unavailable, WrongResponse, OSError) as error:
            self.results.missing[name] = f"failed with model {model.name}: {error}"
            _log(f"skipping {name} from now on: {self.results.missing[name]}")


def _run_scenarios(
    plan: Plan, models: dict[str, BenchModel], results: Results, *, quick: bool
) -> None:
    needed_models = {"a", "b"} if quick else {"a", "b", "c"}
    if not needed_models <= models.keys():
        return
    for server in OURS[: 1 if quick else None]:
        if server.name in plan.workloads:
            _log(f"scenarios of {server.name}")
            results.scenarios += run_scenarios(server, models, quick=quick)


def _choose_plan(arguments: argparse.Namespace) -> Plan:
    plan = build_plan(quick=arguments.quick)
    workloads = plan.workloads
    if arguments.only:
        workloads = {name: workloads[name] for name in workloads if name in arguments.only}
    return replace(plan, rounds=arguments.rounds or plan.rounds, workloads=workloads)


def _model_names(plan: Plan) -> list[str]:
    return sorted({workload.model for group in plan.workloads.values() for workload in group})


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.run",
        description="Compare this server with other model servers, and write bench/results.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="run fewer servers, workloads and rounds"
    )
    parser.add_argument(
        "--rounds", type=int, help="number of rounds (default: 5, or 2 with --quick)"
    )
    parser.add_argument(
        "--only", nargs="+", choices=SERVERS, metavar="SERVER",
        help=f"run only these servers: {', '.join(map(repr, SERVERS))}",
    )  # fmt: skip
    return parser.parse_args()


def _log(message: str) -> None:
    print(time.strftime("%H:%M:%S"), message, flush=True)


if __name__ == "__main__":
    main()
