"""The HTTP layer: two front ends, and what they share."""
