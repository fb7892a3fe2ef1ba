"""Embedding look-up: the token stream becomes residual vectors."""
