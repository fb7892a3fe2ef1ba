"""Tests of synthesis, place-and-route, their reports, and netlists in place of the Verilog."""
