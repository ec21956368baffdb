"""Serve one XGBoost model under SageMaker's container contract: decode, align, predict, encode."""

__version__ = "0.2.0"
