"""Cycles, bytes and tokens a second from a configuration and a memory, without a simulation."""
