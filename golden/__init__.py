"""Golden models: float and bit-exact integer."""
