"""Tests of rtl/stream, and the stream drivers that every testbench uses."""
