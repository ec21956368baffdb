"""Readers: read payloads and responses strictly, independently of the server's codecs."""
