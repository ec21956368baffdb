"""The HTTP layer: the ASGI and Flask front ends, and the responder that both share."""
