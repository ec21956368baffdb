"""Times inference without HTTP, and its prediction alone, in a loop; prints the times as JSON.

``predict`` is the server's own predictor, ``avx2`` that variant of the kernel, and ``xgboost``
XGBoost's predictor.

Usage: in_process.py MODEL_FOLDER SECONDS PAYLOAD MEDIA_TYPE [PAYLOAD MEDIA_TYPE ...]
It prints "ready" after the warm-up, and starts when a line arrives on stdin.
"""

import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median

import numpy as np

from serve.codecs import find_decoder
from serve.errors import BadSetting
from serve.inference import infer
from serve.invocation import Invocation
from serve.model.model import Model, load_model
from serve.schema.alignment import align_records
from serve.settings import Settings


def main() -> None:
    """Warm up, wait for a line on stdin, and time one payload after the other."""
    folder, seconds, *rest = sys.argv[1:]
    models = load_models(Path(folder))
    bodies = [
        (Path(path).read_bytes(), media_type)
        for path, media_type in zip(rest[::2], rest[1::2], strict=True)
    ]
    functions = [
        {
            "infer": bind_infer(models["predict"], *body),
            **{name: bind_predict(model, *body) for name, model in models.items()},
        }
        for body in bodies
    ]
    for calls in functions:
        calls["infer"]()
    print("ready", flush=True)
    sys.stdin.readline()
    timings = [
        {
            name: time_calls(call, float(seconds) / (1 if name == "infer" else 2))
            for name, call in calls.items()
        }
        for calls in functions
    ]
    print(json.dumps(timings))


def load_models(folder: Path) -> dict[str, Model]:
    """Return the same model with several predictors, by the names of their timings."""
    models = {}
    for name, kernel in (("predict", "auto"), ("avx2", "avx2"), ("xgboost", "off")):
        # The kernel is not built, or the processor does not have the variant.
        with suppress(BadSetting):
            models[name] = load_model(Settings(model_folder=folder, kernel=kernel))
    return models


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
