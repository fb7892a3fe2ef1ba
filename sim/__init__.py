"""Simulators: builds of converted blocks, their clock and streams, and sessions on a running decoder."""
