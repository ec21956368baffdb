"""Tests of deploying, against a stand-in for AWS on the loopback."""
