"""Tests of deploying, against the AWS emulator on the loopback."""
