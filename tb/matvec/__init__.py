"""Tests of rtl/matvec."""
