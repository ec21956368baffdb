"""Checks, before anything is created, that the image, the bucket and the zones exist and fit."""
