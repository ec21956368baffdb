"""Endpoints that the application can invoke: over HTTP, or through the SageMaker Runtime API."""
