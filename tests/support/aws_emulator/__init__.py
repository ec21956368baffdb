"""Emulates AWS on the loopback interface: moto's server with fixes, and a SageMaker runtime."""
