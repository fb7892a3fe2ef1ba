"""Into which banks a memory is cut."""

# Words, and bits of a word, of an 18 kbit block RAM; devices with larger ones keep the proportions.
BLOCK_RAM = ((512, 36), (1024, 18), (2048, 9), (4096, 4))
SMALLEST = BLOCK_RAM[0][0]
MOST_BANKS = 16  # of the largest size: one register joins them
REST = 192  # a rest of so few words is made of look-up tables: a device has more of them to spare than block RAMs


def _largest(depth: int, width: int) -> int:
    """Words of the bank that wastes the least of its block RAMs; the deepest of equals, as fewer are to be joined."""
    best = min(BLOCK_RAM, key=lambda block: (-(-width // block[1]) / block[0], -block[0]))[0]
    return max(best, 1 << (-(-depth // MOST_BANKS) - 1).bit_length())


def banks(depth: int, width: int) -> list[int]:
    """Words of each bank, in the order of addresses: each a power of two at a multiple of itself, but for the last."""
    bank, found = _largest(depth, width), []
    while depth > REST or not found:
        while bank > SMALLEST and bank > depth:
            bank //= 2
        found.append(min(bank, depth))
        depth -= found[-1]
    return found + [depth] if depth else found
