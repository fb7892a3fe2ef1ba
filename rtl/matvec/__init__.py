"""Matrix times vector: the weight tape against an activation vector, one beat of LANES weights a cycle."""
