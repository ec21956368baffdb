"""Load test: the highest request rate one container sustains, and what it means for scaling."""
