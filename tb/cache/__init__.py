"""Tests of rtl/axi."""
