"""Compares the desired with the actual state and lists the AWS calls that lead from one to the other."""
