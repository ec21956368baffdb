"""Predicts with the SageMaker SDK's Predictor through the local runtime, at once and as a stream.

Usage: predict_through_runtime.py URL, that of make runtime; make test-sdk runs it in an environment of its own.
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
    """Predict the sample diamonds both ways; exits 1 where the predictions differ or are missing."""
    payload = (ROOT / "local_test" / "payloads" / "diamonds.csv").read_text(encoding="utf-8")
    predictor = Predictor("local", sagemaker.Session(), CSVSerializer(), CSVDeserializer())
    at_once = [row[0] for row in predictor.predict(payload)]
    streamed = b"".join(predictor.predict_stream(payload)).decode().split()
    print(f"predict:        {at_once}\npredict_stream: {streamed}")
    if len(at_once) != len(payload.split("\n")) - payload.endswith("\n") or at_once != streamed:
        sys.exit(
            "the SDK's predictions are not one a row, or differ between predict and predict_stream"
        )
    print(f"{len(at_once)} passed, 0 failed")


if __name__ == "__main__":
    main()
