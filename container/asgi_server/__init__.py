"""The fast front end's worker: ASGI under gunicorn, with limits on connections."""
