"""Grammar, corpus and training of the shipped default model."""
