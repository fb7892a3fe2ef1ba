"""Conversion of MyHDL blocks to hierarchical Verilog, and helpers for packed lanes."""
