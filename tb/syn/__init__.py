"""Tests of synthesis, place-and-route and their reports."""
