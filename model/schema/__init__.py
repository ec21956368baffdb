"""Write schema.json from a model and a CSV sample of its training data."""
