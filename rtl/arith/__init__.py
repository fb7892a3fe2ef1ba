"""Arithmetic leaves: fixed-latency pipelines without handshake."""
