"""Rotary position embedding: angles from a wrapping phase, and the turning of pairs."""
