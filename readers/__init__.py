"""Readers of what people have: checkpoints and tokenizers."""
