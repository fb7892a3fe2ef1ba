"""What a slot of the weight tape did in a cycle: the causes that an engine counts, exactly one a cycle."""

WEIGHTS = 0  # a beat of weights passed
HEADER = 1  # a beat of row exponents or gains passed
ACTIVATION = 2  # a matrix waits for its activation vector
ATTENTION = 3  # the same, and the vector comes from attention (the matrix is Wo)
TAPE = 4  # the tape has no beat
DOWNSTREAM = 5  # no room for another row, or for the gains
IDLE = 6  # no command
CAUSES = ("weights", "headers", "activation", "attention", "tape", "downstream", "idle")
CAUSE_BITS = 3
