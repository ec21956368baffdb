"""The files of the model directory: which one is the model, and which ones qualify it."""
