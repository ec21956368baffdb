"""A SageMaker batch transform job on this machine, against any container."""
