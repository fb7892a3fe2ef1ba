"""Tests of sim: builds, simulators, the session and what is read off a running decoder."""
