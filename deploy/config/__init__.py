"""Reads endpoint.yaml into a checked Configuration."""
