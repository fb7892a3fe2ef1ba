"""An OpenAI-compatible endpoint and a terminal chat before a decoder, simulated or on a board."""
