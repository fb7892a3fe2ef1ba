"""Tests of `rtl/norm`."""
