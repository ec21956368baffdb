"""A typical first SageMaker server: Flask, pandas for CSV, and a DMatrix.

The variable BENCH_MODEL has the path of the model file.
"""

import io
import os

import flask
import pandas as pd
import xgboost

app = flask.Flask(__name__)


class ScoringService:
    """The model, loaded at the first request of each worker."""

    model: xgboost.Booster | None = None

    @classmethod
    def get_model(cls) -> xgboost.Booster:
        if cls.model is None:
            cls.model = xgboost.Booster(model_file=os.environ["BENCH_MODEL"])
        return cls.model


@app.route("/ping", methods=["GET"])
def ping() -> flask.Response:
    """Return 200 if the model is loaded."""
    return flask.Response(
        response="\n",
        status=200 if ScoringService.get_model() else 404,
        mimetype="application/json",
    )


@app.route("/invocations", methods=["POST"])
def transformation() -> flask.Response:
    """Predict CSV without a header."""
    if flask.request.content_type != "text/csv":
        return flask.Response(
            response="This predictor only supports CSV data", status=415, mimetype="text/plain"
        )
    data = pd.read_csv(io.StringIO(flask.request.data.decode("utf-8")), header=None)
    predictions = ScoringService.get_model().predict(xgboost.DMatrix(data.values))
    out = io.StringIO()
    pd.DataFrame(predictions).to_csv(out, header=False, index=False)
    return flask.Response(response=out.getvalue(), status=200, mimetype="text/csv")
