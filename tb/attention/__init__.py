"""Tests of rtl/attention."""
