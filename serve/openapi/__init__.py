"""The description of a model's API: an OpenAPI document, and a page of plain text."""
