"""Damaged copies of good files, seeded: flipped bits, other bytes, cut or doubled pieces, numbers at their limits."""

import random
import struct

EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 60, (1 << 64) - 1)
HEADS = (64, 512, 4096)  # damage there is likelier to matter


def damaged(data: bytes, rng: random.Random) -> bytes:
    """One to four changes, half of them near the front."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if not changed:
            break
        end = min(len(changed), rng.choice((*HEADS, len(changed), len(changed), len(changed))))
        place = rng.randrange(end)
        _change(changed, place, rng)
    return bytes(changed)


def _change(data: bytearray, place: int, rng: random.Random) -> None:
    way = rng.randrange(7)
    piece = data[place : place + rng.randint(1, 64)]
    if way == 0:
        data[place] ^= 1 << rng.randrange(8)
    elif way == 1:
        data[place] = rng.randrange(256)
    elif way == 2:  # a number of four or eight bytes
        form = rng.choice("<I <Q".split())
        number = struct.pack(form, rng.choice(EDGES) & ((1 << 8 * struct.calcsize(form)) - 1))
        data[place : place + len(number)] = number
    elif way == 3:
        del data[place:]
    elif way == 4:
        del data[place : place + len(piece)]
    elif way == 5:
        data[place:place] = piece
    else:
        other = rng.randrange(len(data))
        data[other : other + len(piece)] = piece
