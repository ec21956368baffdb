"""Load the artifact: from the files in the model directory to a Model that predicts."""
