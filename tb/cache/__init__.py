"""Tests of rtl/cache."""
