"""Compare the server's predictions with XGBoost's, for models of random type, shape and objective.

Each variant of the kernel serves in turn. A model is reproduced by its seed. Exit code 1 means that
a prediction differed in a bit, or that the kernel was not in use.
"""

import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import numpy as np
import xgboost
from numpy.typing import NDArray

from tests.adversary.options import build_parser
from tests.support.boosters import save_artifact
from tests.support.kernel import (
    find_thresholds,
    list_supported_variants,
    make_hostile_rows,
    predict_hostile,
    train_generated,
)
from tests.support.payloads import npy
from tests.support.responses import scores
from tests.support.server import Server, running

MAX_ROWS = 700
REQUESTS = 20
MAX_FLOAT = np.finfo(np.float32).max


def main() -> int:
    """Attack until the time is up; return 1 if there are findings."""
    options = build_parser("kernel", __doc__, seconds=60).parse_args()
    deadline = time.monotonic() + options.seconds
    models = values = 0
    findings: list[str] = []
    for seed in count(options.seed):
        if time.monotonic() > deadline:
            break
        found, compared = attack(seed)
        models, values = models + 1, values + compared
        findings += found
    for finding in findings:
        print(finding)
    print(f"{models} models, {values:,} predictions compared, {len(findings)} findings")
    return 1 if findings else 0


def attack(seed: int) -> tuple[list[str], int]:
    """Serve one model; return the findings, and the number of compared predictions."""
    booster = train_generated(seed)
    rows = make_sendable_rows(booster, seed)
    expected = predict_hostile(booster, rows)
    random = np.random.default_rng(seed)
    variant = str(random.choice(list_supported_variants()))
    findings, values = [], 0
    with tempfile.TemporaryDirectory() as folder:
        save_artifact(booster, Path(folder))
        with running(Path(folder), SERVE_KERNEL=variant) as server:
            for _ in range(REQUESTS):
                size = int(random.choice([1, 2, 7, 63, 64, 65, int(random.integers(1, MAX_ROWS))]))
                start = int(random.integers(0, MAX_ROWS - size + 1))
                part = slice(start, start + size)
                differ = _count_different(server, rows[part], expected[part])
                if differ:
                    findings.append(f"seed {seed}, {variant}, rows {part}: {differ} values differ")
                values += expected[part].size
    started = next(event for event in server.events() if event["event"] == "server started")
    if started["predictor"] != f"kernel ({variant})":
        findings.append(f"seed {seed}: {started['predictor']}")
    return findings, values


def make_sendable_rows(booster: xgboost.Booster, seed: int) -> NDArray[np.float32]:
    """Return hostile rows that the server accepts: finite, with known categories."""
    random = np.random.default_rng(seed)
    rows = make_hostile_rows(booster, MAX_ROWS, seed).clip(-MAX_FLOAT, MAX_FLOAT)
    thresholds = find_thresholds(booster)
    for column, type_ in enumerate(booster.feature_types or ()):
        if type_ == "c":
            known = thresholds.get(column, np.zeros(1))
            rows[:, column] = random.integers(0, known.max() + 1, MAX_ROWS)
    return rows


def _count_different(
    server: Server, rows: NDArray[np.float32], expected: NDArray[np.float32]
) -> int:
    response = server.post(npy(rows), "application/x-npy", Accept="text/csv")
    if response.status_code != 200:
        raise RuntimeError(response.text)
    got = scores(response).astype(np.float32).reshape(expected.shape)
    is_same = got.view(np.uint32) == expected.view(np.uint32)
    return int((~is_same & ~(np.isnan(got) & np.isnan(expected))).sum())


if __name__ == "__main__":
    sys.exit(main())
