"""Environment variables: their values, and the names that are not settings."""
