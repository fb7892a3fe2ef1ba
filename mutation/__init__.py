"""Mutation testing: faults planted in the converted Verilog, and whether the tests find them."""
