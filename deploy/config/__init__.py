"""Loads and validates endpoint.yaml."""
