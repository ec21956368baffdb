"""An emulator of the SageMaker Runtime API that forwards requests to containers on this machine."""
