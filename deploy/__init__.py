"""Deploys the image and an artefact to SageMaker, from one file an endpoint."""
