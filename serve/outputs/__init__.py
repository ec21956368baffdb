"""Outputs that a response can contain in addition to the score."""
