"""Loads the artifact: from the files in the model folder to a Model that predicts."""
