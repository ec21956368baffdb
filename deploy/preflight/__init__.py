"""Checks the image, the buckets and the Availability Zones before anything is created."""
