"""Deploys the image with the SageMaker SDK's local mode, as `sagemaker` users do, and predicts from it.

Usage: deploy_local.py IMAGE; make test-sdk runs it in an environment of its own. No AWS account is asked for anything.
"""

import csv
import os
import socket
import sys
import tarfile
import tempfile
from pathlib import Path

SCRATCH = Path(tempfile.mkdtemp())
CONFIG = SCRATCH / "config.yaml"
CONFIG.write_text(
    "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n",
    encoding="utf-8",
)
os.environ |= {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "SAGEMAKER_USER_CONFIG_OVERRIDE": str(CONFIG),
    "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
}

from sagemaker.base_deserializers import CSVDeserializer, JSONDeserializer
from sagemaker.base_serializers import CSVSerializer, JSONSerializer
from sagemaker.local import LocalSession
from sagemaker.model import Model
from sagemaker.predictor import Predictor

ROOT = Path(__file__).resolve().parent.parent.parent
ROLE = "arn:aws:iam::111111111111:role/none"


def main() -> None:
    """Deploy, predict as CSV and as JSON, and take the endpoint down; exits 1 where the predictions differ or are missing."""
    session = LocalSession()
    session.config = {
        "local": {"local_code": True, "serving_port": free_port(), "container_root": str(SCRATCH)}
    }
    tarball = SCRATCH / "model.tar.gz"
    with tarfile.open(tarball, "w:gz") as tar:
        tar.add(ROOT / "model" / "artifact", arcname=".")
    model = Model(
        image_uri=sys.argv[1], model_data=f"file://{tarball}", role=ROLE, sagemaker_session=session
    )
    name = "xgb-endpoint-sdk-test"
    model.deploy(initial_instance_count=1, instance_type="local", endpoint_name=name)
    rows = list(
        csv.reader((ROOT / "local_test" / "payloads" / "diamonds.csv").open(encoding="utf-8"))
    )
    try:
        by_csv = Predictor(name, session, CSVSerializer(), CSVDeserializer()).predict(rows)
        numbers = [
            [cell if cell.isalpha() or not is_number(cell) else float(cell) for cell in row]
            for row in rows
        ]
        by_json = Predictor(name, session, JSONSerializer(), JSONDeserializer()).predict(
            {"instances": numbers}
        )
    finally:
        Predictor(name, session).delete_endpoint()
    first, second = (
        [float(row[0]) for row in by_csv],
        [each["score"] for each in by_json["predictions"]],
    )
    print(f"CSV:  {first}\nJSON: {second}")
    if len(first) != len(rows) or first != second:
        sys.exit("the SDK's predictions are not ten, or differ between CSV and JSON")
    print(f"{len(first)} passed, 0 failed")


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
