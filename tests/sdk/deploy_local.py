"""Deploys the image in the local mode of the SageMaker Python SDK, and invokes the endpoint.

Usage: deploy_local.py IMAGE, which `make test-sdk` runs in a separate virtual environment. It needs
no AWS account.
"""

import csv
import os
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

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from container.local_server import free_port

ROLE = "arn:aws:iam::111111111111:role/none"


def main() -> None:
    """Deploy, predict with CSV and with JSON, and delete the endpoint.

    Exits with code 1 if predictions are missing, or differ between the two.
    """
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
    payload = ROOT / "local_test" / "payloads" / "diamonds.csv"
    rows = list(csv.reader(payload.open(encoding="utf-8")))
    instances = [[parse_cell(cell) for cell in row] for row in rows]
    try:
        by_csv = Predictor(name, session, CSVSerializer(), CSVDeserializer()).predict(rows)
        by_json = Predictor(name, session, JSONSerializer(), JSONDeserializer()).predict(
            {"instances": instances}
        )
    finally:
        Predictor(name, session).delete_endpoint()
    csv_scores = [float(row[0]) for row in by_csv]
    json_scores = [prediction["score"] for prediction in by_json["predictions"]]
    print(f"CSV:  {csv_scores}\nJSON: {json_scores}")
    if len(csv_scores) != len(rows) or csv_scores != json_scores:
        sys.exit(f"expected {len(rows)} predictions, the same for CSV and JSON")
    print(f"{len(csv_scores)} passed, 0 failed")


def parse_cell(cell: str) -> str | float:
    """Return a number as a float, and a label as it is."""
    try:
        return cell if cell.isalpha() else float(cell)
    except ValueError:
        return cell


if __name__ == "__main__":
    main()
