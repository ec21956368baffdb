"""Send mutated heads of requests to both front ends."""
