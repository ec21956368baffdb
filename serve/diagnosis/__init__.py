"""Diagnosis: find out what a payload that does not fit the schema really is, for its message."""
