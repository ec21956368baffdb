"""Run every attack of this folder within a time, and print the figures of all of them.

This process watches all servers below it: it pings them twice a second, and reads what they print.
A finding is repeated with the same seed. Exit code 1 means that there are findings.
"""

import argparse
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.adversary.watch import Watch
from tests.support.server import ROOT

COUNT = r"([\d,]+)"
INPUTS = re.compile(rf"{COUNT} (?:payloads|models|responses|requests|sessions|flips|faults)\b")
FINDINGS = re.compile(rf"{COUNT} findings")
STATUS = re.compile(rf"\b([1-5]\d\d): {COUNT}")
KERNEL = ROOT / "kernel" / "build" / "_forest.abi3.so"
MIN_SECONDS = 2.0
MAX_PING_SECONDS = 2.0  # contract 2.3
OVERRUN_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Attack:
    """A module of this folder, its share of the time, and the seconds that it needs besides.

    It takes ``--seconds`` for each of its ``parts``. A shorter campaign than ``min_minutes`` omits
    it.
    """

    name: str
    share: float
    overhead: float
    kills_workers: bool = False
    parts: int = 1
    min_minutes: float = 0


ATTACKS = (
    Attack("numbers", 0.32, 15),
    Attack("heads", 0.10, 4),
    Attack("heads.fast_path", 0.14, 6),
    Attack("identifiers", 0.10, 4),
    Attack("wide_bodies", 0.06, 4),
    Attack("smuggling", 0.06, 4),
    Attack("kernel", 0.08, 6),
    Attack("bit_flips", 0.07, 2),
    Attack("faults", 0.07, 4, kills_workers=True),
    Attack("callers", 0.15, 30, parts=12, min_minutes=5),
)


@dataclass(slots=True)
class Campaign:
    """The sums of all attacks so far."""

    inputs: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    findings: int = 0
    failed: list[str] = field(default_factory=list)

    def add(self, attack: Attack, exit_code: int, output: str) -> None:
        """Add what an attack printed; an attack that failed without findings is one itself."""
        self.inputs += sum(map(_parse_count, INPUTS.findall(output)[:1]))
        for status, count in STATUS.findall(output):
            self.statuses[int(status)] += _parse_count(count)
        self.findings += sum(map(_parse_count, FINDINGS.findall(output)[:1]))
        if exit_code:
            self.failed.append(attack.name)


def main() -> int:
    """Run the attacks that the command line asks for; return 1 if there are findings."""
    options = _parse_options()
    wanted = options.attack or [
        attack.name for attack in ATTACKS if attack.min_minutes <= options.minutes
    ]
    attacks = [attack for attack in ATTACKS if attack.name in wanted]
    if not KERNEL.exists():
        print("The kernel was not built, so it is not attacked: make setup")
        attacks = [attack for attack in attacks if attack.name != "kernel"]
    campaign = Campaign()
    started = time.monotonic()
    with Watch() as watch:
        for attack, seconds in _schedule(attacks, started + 60 * options.minutes):
            watch.expects_deaths = attack.kills_workers
            print(
                f"[{time.monotonic() - started:5.0f} s] {attack.name}: {seconds:.0f} s", flush=True
            )
            exit_code, output = _run(attack, seconds, options.seed)
            campaign.add(attack, exit_code, output)
    seconds = time.monotonic() - started
    print(_describe(campaign, watch, seconds, options.seed))
    is_good = not (campaign.failed or watch.deaths or watch.tracebacks)
    return 0 if is_good and watch.slowest_ping < MAX_PING_SECONDS else 1


def _schedule(attacks: list[Attack], deadline: float) -> Iterator[tuple[Attack, float]]:
    """Yield each attack with its seconds: its share of the time that is left when it begins."""
    for index, attack in enumerate(attacks):
        shares = sum(other.share for other in attacks[index:])
        left = (deadline - time.monotonic()) * attack.share / shares
        yield attack, max(MIN_SECONDS, left - attack.overhead)


def _run(attack: Attack, seconds: float, seed: int) -> tuple[int, str]:
    """Run an attack as a process of its own; return its exit code and its output, also printed."""
    command = [sys.executable, "-m", f"tests.adversary.{attack.name}"]
    command += ["--seconds", f"{max(1, seconds / attack.parts):.0f}", "--seed", str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=seconds + OVERRUN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        output += "\n1 findings: the attack did not end\n"
    for line in output.splitlines():
        print(f"    {line}", flush=True)
    return process.returncode, output


def _describe(campaign: Campaign, watch: Watch, seconds: float, seed: int) -> str:
    statuses = ", ".join(f"{status}: {n:,}" for status, n in sorted(campaign.statuses.items()))
    return "\n".join(
        [
            "",
            f"{'inputs':<24}{campaign.inputs:,} in {seconds:.0f} s",
            f"{'responses by status':<24}{statuses or 'none'}",
            f"{'findings':<24}{campaign.findings:,}",
            f"{'worker deaths':<24}{watch.deaths:,}",
            f"{'tracebacks':<24}{watch.tracebacks:,}",
            f"{'slowest ping':<24}{watch.slowest_ping:.3f} s of {watch.pings:,}",
            f"{'peak memory':<24}{watch.peak_bytes / 1e6:,.0f} MB of one server",
            f"{'failed attacks':<24}{', '.join(campaign.failed) or 'none'}",
            f"{'seed':<24}{seed} (repeat an attack: python -m tests.adversary.NAME --seed {seed})",
        ]
    )


def _parse_count(text: str) -> int:
    return int(text.replace(",", ""))


def _list_names() -> list[str]:
    return [attack.name for attack in ATTACKS]


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.adversary", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="how long in all (5)")
    parser.add_argument("--seed", type=int, default=1, help="the seed of all attacks (1)")
    parser.add_argument(
        "--attack", action="append", choices=_list_names(), help="run only this one; repeatable"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
