"""Invokes an endpoint, in real time or asynchronously."""
