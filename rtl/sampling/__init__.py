"""Drawing a token: costs, weights and sums of the streamed logits, random numbers, a list of the most likely."""
