"""RMSNorm with its scalar deferred: gains in the data path, 1/rms beside it."""
