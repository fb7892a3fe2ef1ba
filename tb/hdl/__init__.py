"""Tests of rtl/hdl."""
