"""Builds the desired state: the exact parameters of all AWS calls for a configuration."""
