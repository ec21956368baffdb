"""A load test: how many invocations a second one container serves within an objective, and what that means for scaling."""
