"""The decoder in MyHDL: one folder a unit, one block a file."""
