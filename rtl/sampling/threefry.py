"""Random numbers: Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw, SC 2011), a pipeline of adders."""
from myhdl import always, always_comb, block, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.sampling import WORD_BITS as WORD

PARITY = 0x1BD11BDA  # so that no key is all zeros
ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)  # of the rounds, over and over
STAGES = 10  # of two rounds each
SET_UP = 2  # cycles from key and position to what the pipeline takes of them
LATENCY = STAGES + 1  # cycles from item to x0, x1
WIDE = WORD + 2  # a sum of three words


@hblock
def threefry(clk, move, key, position, item, x0, x1):
    """x0, x1 = golden.fixed.threefry of the counter (item, position): 64 random bits an item, an item a cycle.

    Ports: clk; move: the pipeline advances, else it holds; key uint(64), word 0 low; position, item uint(32); x0, x1
    uint(32), LATENCY cycles of `move` after item. key and position stand still from SET_UP cycles before the first item
    until the last one has left. No multiplier.

        key, position ─> schedule ─┬───────────────┬──────── ... ──────────┐
                       item ─────> + ─> 4 rounds ─> + ─> 4 rounds ─> ... ─> + ─> x0, x1
    """
    GROUPS = STAGES // 2  # of four rounds, each with words of the key before it
    words = [uint(WORD) for _ in range(3)]
    word0, word1, word2 = words
    # of each group: what the second word gets, and what the first one gets, with the sum of its first round
    parts = [uint(WORD) for _ in range(GROUPS)]
    sums = [uint(WORD) for _ in range(GROUPS)]
    firsts, seconds = [[uint(WORD) for _ in range(STAGES)] for _ in range(2)]
    xs, ys = [[uint(WORD) for _ in range(STAGES)] for _ in range(2)]
    sum0, part0, last_x, last_y = sums[0], parts[0], xs[STAGES - 1], ys[STAGES - 1]

    @always(clk.posedge)
    def schedule():
        wide = intbv(0)[WIDE:]
        word0.next = key[WORD:]
        word1.next = key[2 * WORD:WORD]
        word2.next = key[WORD:] ^ key[2 * WORD:WORD] ^ PARITY
        wide[:] = word1 + position
        part0.next = wide[WORD:]
        wide[:] = word0 + word1 + position
        sum0.next = wide[WORD:]

    @always(clk.posedge)
    def finish():
        wide = intbv(0)[WIDE:]
        if move:
            wide[:] = last_x + word2
            x0.next = wide[WORD:]
            wide[:] = last_y + word0 + GROUPS
            x1.next = wide[WORD:]

    schedules = [key_words(clk, words[k % 3], words[(k + 1) % 3], sums[k], parts[k], STEP=k) for k in range(1, GROUPS)]
    entering = enter(item, sum0, part0, firsts[0], seconds[0])
    injections = [inject(xs[2 * k - 1], ys[2 * k - 1], sums[k], parts[k], firsts[2 * k], seconds[2 * k])
                  for k in range(1, GROUPS)]
    passing = [add(xs[k - 1], ys[k - 1], firsts[k], seconds[k]) for k in range(1, STAGES, 2)]
    rounds = [two_rounds(clk, move, firsts[k], seconds[k], xs[k], ys[k], FIRST=ROTATIONS[2 * k % len(ROTATIONS)],
                         SECOND=ROTATIONS[(2 * k + 1) % len(ROTATIONS)]) for k in range(STAGES)]
    return schedule, finish, schedules, entering, injections, passing, rounds


def ports() -> dict:
    """Fresh ports."""
    words = {name: uint(WORD) for name in ("position", "item", "x0", "x1")}
    return dict(clk=bit(), move=bit(), key=uint(2 * WORD), **words)


@block
def key_words(clk, first, second, both, part, STEP):
    """What group STEP adds: part to the second word, and `both` to the sum of the words."""

    @always(clk.posedge)
    def add_step():
        wide = intbv(0)[WIDE:]
        wide[:] = second + STEP
        part.next = wide[WORD:]
        wide[:] = first + second + STEP
        both.next = wide[WORD:]

    return add_step


@block
def enter(item, both, part, first, second):
    """The addition of the first round, on the words of the counter with those of the key."""

    @always_comb
    def begin():
        wide = intbv(0)[WIDE:]
        wide[:] = item + both
        first.next = wide[WORD:]
        second.next = part

    return begin


@block
def inject(x, y, both, part, first, second):
    """The addition of a round whose words get those of the key before it."""

    @always_comb
    def add_key():
        wide = intbv(0)[WIDE:]
        wide[:] = y + part
        second.next = wide[WORD:]
        wide[:] = x + y + both
        first.next = wide[WORD:]

    return add_key


@block
def add(x, y, first, second):
    """The addition of a round."""

    @always_comb
    def add_words():
        wide = intbv(0)[WIDE:]
        wide[:] = x + y
        first.next = wide[WORD:]
        second.next = y

    return add_words


@block
def two_rounds(clk, move, first, second, x, y, FIRST, SECOND):
    """The rest of a round, whose words are added up, and the next round whole; rotations FIRST, SECOND."""

    @always(clk.posedge)
    def mix():
        wide = intbv(0)[WIDE:]
        mixed = intbv(0)[WORD:]
        added = intbv(0)[WORD:]
        mixed[:] = concat(second[WORD - FIRST:], second[WORD:WORD - FIRST]) ^ first
        wide[:] = first + mixed
        added[:] = wide[WORD:]
        if move:
            x.next = added
            y.next = concat(mixed[WORD - SECOND:], mixed[WORD:WORD - SECOND]) ^ added

    return mix
