"""The page for one record: its form, the prediction, and why the model predicts it."""
