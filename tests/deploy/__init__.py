"""Tests of deploy/, against an AWS emulator on the loopback interface."""
