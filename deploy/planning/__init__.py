"""Compares the desired with the actual state and lists the AWS calls that close the gap."""
