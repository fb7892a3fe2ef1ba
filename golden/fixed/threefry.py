"""Threefry-2x32 with 20 rounds: random numbers as a function of a key and a counter, without any state.

Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

import numpy as np

ROUNDS = 20
ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
PARITY = 0x1BD11BDA  # the key's third word is this, exclusive-or both others
INJECT = 4  # rounds from one addition of key words to the next


def threefry2x32(key, counter) -> tuple[np.ndarray, np.ndarray]:
    """The two random words, uint32 arrays, of each key and counter.

    key, counter: each two words, 0 to 2**32 - 1, numbers or arrays that broadcast against each other.
    """
    k0, k1, c0, c1 = (np.asarray(word).astype(np.uint32) for word in (*key, *counter))
    words = (k0, k1, k0 ^ k1 ^ np.uint32(PARITY))
    shape = np.broadcast_shapes(k0.shape, k1.shape, c0.shape, c1.shape)
    x0, x1 = np.empty(shape, np.uint32), np.empty(shape, np.uint32)
    x0[...], x1[...] = c0, c1
    x0 += words[0]
    x1 += words[1]
    low = np.empty(shape, np.uint32)
    for number in range(ROUNDS):
        rotation = ROTATIONS[number % len(ROTATIONS)]
        x0 += x1
        np.right_shift(x1, np.uint32(32 - rotation), out=low)
        x1 <<= np.uint32(rotation)
        x1 |= low
        x1 ^= x0
        if number % INJECT == INJECT - 1:
            turn = number // INJECT + 1
            x0 += words[turn % 3]
            x1 += words[(turn + 1) % 3]
            x1 += np.uint32(turn)
    return x0, x1
