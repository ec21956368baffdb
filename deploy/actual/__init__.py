"""Reads the current state of an endpoint's resources from AWS."""
