"""application/json and application/jsonlines."""
