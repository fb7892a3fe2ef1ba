"""Tests of netlists: what synthesis makes of the blocks, in place of their Verilog."""
