"""Synthesis, place-and-route and lint flows over the converted Verilog."""
