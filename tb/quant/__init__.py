"""Tests of `rtl/quant`."""
