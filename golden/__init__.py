"""Golden models: float and bit-exact integer, with their readers and the accuracy evaluation."""
