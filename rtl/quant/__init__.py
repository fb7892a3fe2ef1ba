"""Block floating point: vectors of F to mantissas with one exponent."""
