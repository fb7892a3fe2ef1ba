"""Tests of `rtl/logits`."""
