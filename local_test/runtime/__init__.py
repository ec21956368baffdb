"""The SageMaker Runtime API on the loopback, in front of containers on this machine."""
