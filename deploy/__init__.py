"""Deploys the image and a model artifact to SageMaker, as described by endpoint.yaml."""
