"""Invokes an endpoint, synchronously or asynchronously."""
