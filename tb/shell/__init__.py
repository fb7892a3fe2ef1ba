"""Tests of the front door: Makefile targets and command lines."""
