"""Deploys the image and an artifact to SageMaker, from one file an endpoint."""
