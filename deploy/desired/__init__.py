"""The desired state: from a configuration to the exact parameters of AWS calls."""
