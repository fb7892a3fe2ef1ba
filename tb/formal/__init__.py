"""Tests of the proofs: that each of them can fail, and the parts that need no solver."""
