"""schema.json: what training knew and the model file does not contain."""
