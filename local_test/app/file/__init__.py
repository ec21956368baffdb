"""The page for a CSV file: its records, the predictions added to it, and bad rows."""
