"""Hierarchical Verilog from MyHDL, and helpers for packed lanes. It knows nothing of the project that it is part of."""
