"""The floor without HTTP: decodes, predicts and encodes each payload in a loop, then predicts alone; prints the times as JSON.

Usage: in_process.py MODEL_FOLDER SECONDS PAYLOAD MEDIA_TYPE [PAYLOAD MEDIA_TYPE ...]; it begins when a line arrives on its input.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from serve.codecs import decoder_for
from serve.inference import Invocation, infer
from serve.model.model import Model, load
from serve.settings import Settings


def main() -> None:
    """Warm up, wait for the start, measure one payload after the other."""
    folder, seconds, *rest = sys.argv[1:]
    model = load(Settings(model_folder=Path(folder)))
    bodies = [
        (Path(path).read_bytes(), media_type)
        for path, media_type in zip(rest[::2], rest[1::2], strict=True)
    ]
    works = [(inference(model, *body), prediction(model, *body)) for body in bodies]
    for infer_once, _ in works:
        infer_once()
    print("ready", flush=True)
    sys.stdin.readline()
    print(
        json.dumps(
            [(timed(one, float(seconds)), timed(other, float(seconds) / 2)) for one, other in works]
        )
    )


def inference(model: Model, payload: bytes, media_type: str) -> Callable[[], object]:
    """Return all that a front end does not do."""
    invocation = Invocation(payload, media_type, {}, media_type)
    return lambda: infer(model, invocation)


def prediction(model: Model, payload: bytes, media_type: str) -> Callable[[], object]:
    """Return the prediction alone, of features that are there already."""
    slices = decoder_for(media_type).decode(payload, {}, model.schema)
    features = np.concatenate([model.schema.align(records) for records in slices])
    return lambda: model.predict(features)


def timed(work: Callable[[], object], seconds: float) -> dict[str, float]:
    """Return how often work was done in a time, how long it took in the median, and the time of the processor for each."""
    durations: list[float] = []
    began, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds or not durations:
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    wall, cpu = time.perf_counter() - began, time.process_time() - used
    return {
        "calls_a_second": len(durations) / wall,
        "median_ms": median(durations) * 1000,
        "cpu_ms": cpu / len(durations) * 1000,
    }


if __name__ == "__main__":
    main()
