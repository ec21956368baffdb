"""Flip single bits of a model, and check each copy, with and without a checksum.

Each check is a forked process: one line of error, or predictions. Exit code 1 means that one ended
by a signal, a traceback or not at all, or that a checksum did not detect the damage.
"""

import argparse
import hashlib
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np

from container.entrypoint import main as run_entrypoint
from tests.adversary.options import build_parser
from tests.support.boosters import predict_with_xgboost, random_features, train

ROWS, MAX_SECONDS, POLL_SECONDS = 200, 60.0, 0.002
CHECKSUM_EVERY = 5  # flips


def main() -> int:
    """Flip bits until the time is up; return 1 if there are findings."""
    options = _parse_options()
    random = np.random.default_rng(options.seed)
    features = random_features(ROWS, 3, options.seed, missing=0)
    booster = train(features)
    model = bytes(booster.save_raw("ubj"))
    expected = "".join(f"{value}\n" for value in predict_with_xgboost(booster, features))
    tally: Counter[str] = Counter()
    findings = []
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory, "artifact")
        (folder / "self-test").mkdir(parents=True)
        rows = "".join(",".join(map(repr, row)) + "\n" for row in features.tolist())
        (folder / "self-test" / "request.csv").write_text(rows)
        (folder / "self-test" / "expected.csv").write_text(expected)
        deadline = time.monotonic() + options.seconds
        while tally.total() < options.flips or time.monotonic() < deadline:
            bit = int(random.integers(8 * len(model)))
            has_checksum = tally.total() % CHECKSUM_EVERY == 0
            _write(folder, model, bit, has_checksum=has_checksum)
            outcome = _check(folder)
            tally[outcome] += 1
            if outcome not in ("rejected", "accepted") or (has_checksum and outcome == "accepted"):
                findings.append(f"bit {bit}, checksum {has_checksum}: {outcome}")
    print(f"bit flips: {tally.total():,} flips ({dict(tally)}), {len(findings)} findings")
    for finding in findings:
        print(f"  {finding}")
    return 1 if findings else 0


def _write(folder: Path, model: bytes, bit: int, *, has_checksum: bool) -> None:
    damaged = bytearray(model)
    damaged[bit // 8] ^= 1 << bit % 8
    (folder / "model.ubj").write_bytes(damaged)
    checksum = folder / "model.ubj.sha256"
    if has_checksum:
        checksum.write_text(hashlib.sha256(model).hexdigest())
    else:
        checksum.unlink(missing_ok=True)


def _check(folder: Path) -> str:
    """Return how a check of the artifact ends."""
    output = folder.with_name("output")
    pid = os.fork()
    if not pid:
        _check_and_exit(folder, output)
    deadline = time.monotonic() + MAX_SECONDS
    ended, status = os.waitpid(pid, os.WNOHANG)
    while not ended and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return "no end"
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    if not status:
        return "accepted"
    is_one_line = len(output.read_bytes().splitlines()) == 1
    return "rejected" if is_one_line else "several lines"


def _check_and_exit(folder: Path, output: Path) -> None:
    """Run the command `check` in this forked process, with its output in a file, and exit."""
    file = os.open(output, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)
    exit_code = 1
    try:
        run_entrypoint(["check", str(folder)])
        exit_code = 0
    except SystemExit as error:
        os.write(2, f"{error.code}\n".encode(errors="backslashreplace"))
    except BaseException:  # noqa: BLE001 - what Python itself would print
        os.write(2, traceback.format_exc().encode(errors="backslashreplace"))
    finally:
        os._exit(exit_code)


def _parse_options() -> argparse.Namespace:
    parser = build_parser("bit_flips", __doc__)
    parser.add_argument("--flips", type=int, default=0, help="at least this many (0)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
