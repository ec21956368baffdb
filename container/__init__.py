"""The image's entrypoint and process policy: gunicorn, its workers and their number."""
