"""The feed-forward network: SwiGLU between the two halves of the hidden layer."""
