"""Structural coverage of the RTL: what simulations executed and toggled, by block, and the lines of holes."""
