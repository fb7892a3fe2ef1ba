"""Streaming attention over the key/value cache."""
