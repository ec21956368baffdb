"""The floor without HTTP: decodes, predicts and encodes a payload in a loop, then predicts alone; prints what that took, as JSON.

Usage: in_process.py MODEL_FOLDER PAYLOAD MEDIA_TYPE SECONDS; it begins when a line arrives on its input.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from serve.codecs import codec_for
from serve.inference import Invocation, infer
from serve.model import Model, load
from serve.settings import Settings


def main() -> None:
    """Warm up, wait for the start, loop until the time is over."""
    folder, payload, media_type, seconds = sys.argv[1:]
    model = load(Settings(model_folder=Path(folder)))
    body = Path(payload).read_bytes()
    infer_once, predict_once = inference(model, body, media_type), prediction(model, body, media_type)
    infer_once()
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps({"infer": timed(infer_once, float(seconds)), "predict": timed(predict_once, float(seconds) / 2)}))


def inference(model: Model, payload: bytes, media_type: str) -> Callable[[], object]:
    """Return all that a door does not do."""
    invocation = Invocation(payload, media_type, {}, media_type)
    return lambda: infer(model, invocation)


def prediction(model: Model, payload: bytes, media_type: str) -> Callable[[], object]:
    """Return the prediction alone, of features that are there already."""
    slices = codec_for(media_type).decode(payload, {}, model.schema)
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
    return {"calls_a_second": len(durations) / wall, "median_ms": median(durations) * 1000, "cpu_ms": cpu / len(durations) * 1000}


if __name__ == "__main__":
    main()
