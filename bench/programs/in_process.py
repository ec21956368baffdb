"""Times inference without HTTP, and its prediction alone, in a loop; prints the times as JSON.

Usage: in_process.py MODEL_FOLDER SECONDS PAYLOAD MEDIA_TYPE [PAYLOAD MEDIA_TYPE ...]
It prints "ready" after the warm-up, and starts when a line arrives on stdin.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from serve.codecs import find_decoder
from serve.inference import infer
from serve.invocation import Invocation
from serve.model.model import Model, load_model
from serve.schema.alignment import align_records
from serve.settings import Settings


def main() -> None:
    """Warm up, wait for a line on stdin, and time one payload after the other."""
    folder, seconds, *rest = sys.argv[1:]
    model = load_model(Settings(model_folder=Path(folder)))
    bodies = [
        (Path(path).read_bytes(), media_type)
        for path, media_type in zip(rest[::2], rest[1::2], strict=True)
    ]
    functions = [(bind_infer(model, *body), bind_predict(model, *body)) for body in bodies]
    for run_infer, _ in functions:
        run_infer()
    print("ready", flush=True)
    sys.stdin.readline()
    timings = [
        (time_calls(run_infer, float(seconds)), time_calls(run_predict, float(seconds) / 2))
        for run_infer, run_predict in functions
    ]
    print(json.dumps(timings))


def bind_infer(model: Model, payload: bytes, media_type: str) -> Callable[[], object]:
    """Return a function that decodes, aligns, predicts and encodes a payload."""
    invocation = Invocation(payload, media_type, {}, media_type)
    return lambda: infer(model, invocation)


def bind_predict(model: Model, payload: bytes, media_type: str) -> Callable[[], object]:
    """Return a function that only predicts, from features prepared in advance."""
    slices = find_decoder(media_type).decode(payload, {}, model.schema)
    features = np.concatenate([align_records(records, model.schema) for records in slices])
    return lambda: model.predict(features)


def time_calls(function: Callable[[], object], seconds: float) -> dict[str, float]:
    """Call a function for some seconds; return its rate, its median duration and its CPU time."""
    durations: list[float] = []
    loop_start, cpu_start = time.perf_counter(), time.process_time()
    while time.perf_counter() - loop_start < seconds or not durations:
        start = time.perf_counter()
        function()
        durations.append(time.perf_counter() - start)
    elapsed, cpu = time.perf_counter() - loop_start, time.process_time() - cpu_start
    return {
        "calls_per_second": len(durations) / elapsed,
        "median_ms": median(durations) * 1000,
        "cpu_ms": cpu / len(durations) * 1000,
    }


if __name__ == "__main__":
    main()
