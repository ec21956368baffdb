"""The complete front end's worker: WSGI under gunicorn's threads, with limits on connections."""
