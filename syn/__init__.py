"""Synthesis, place-and-route, netlists and lint flows over the converted Verilog."""
