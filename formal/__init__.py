"""Proofs: properties of the converted Verilog of blocks, for all inputs, by Yosys and an SMT solver."""
