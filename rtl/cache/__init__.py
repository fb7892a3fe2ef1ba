"""The key/value cache in memory outside the chip."""
