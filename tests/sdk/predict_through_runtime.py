"""Invokes the local runtime with the SageMaker SDK's Predictor, with and without streaming.

Usage: predict_through_runtime.py URL, with the URL of `make runtime`. `make test-sdk` runs it in a
separate virtual environment.
"""

import os
import sys
from pathlib import Path

URL = sys.argv[1]
os.environ |= {
    "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": URL,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
}

import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer

ROOT = Path(__file__).resolve().parent.parent.parent


def main() -> None:
    """Predict the sample diamonds both ways; exit with code 1 if the predictions differ."""
    payload = (ROOT / "local_test" / "payloads" / "diamonds.csv").read_text(encoding="utf-8")
    predictor = Predictor("local", sagemaker.Session(), CSVSerializer(), CSVDeserializer())
    predicted = [row[0] for row in predictor.predict(payload)]
    streamed = b"".join(predictor.predict_stream(payload)).decode().split()
    print(f"predict:        {predicted}\npredict_stream: {streamed}")
    rows = len(payload.splitlines())
    if len(predicted) != rows or predicted != streamed:
        sys.exit(f"expected {rows} predictions, the same for predict and predict_stream")
    print(f"{rows} passed, 0 failed")


if __name__ == "__main__":
    main()
