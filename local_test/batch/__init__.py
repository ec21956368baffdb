"""A batch transform job as SageMaker runs one, against any container."""
