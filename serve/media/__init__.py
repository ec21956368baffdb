"""Media types and their parameters."""
