"""Tests of rtl/memory."""
