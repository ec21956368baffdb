"""Executes planned calls in order, waits for the endpoint, and restores scaling on failure."""
