"""reservoir against golden.fixed.sampler.accepts: every exponent, products that just decide it, random ones."""
import random

import cocotb
import numpy as np
import pytest

from llama2_myhdl.golden.fixed.sampler import MAX_SHIFT, accepts, thresholds
from llama2_myhdl.rtl.sampling.reservoir import LATENCY, ports, reservoir
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.sampling import SUM_BITS, SUM_BITS_MIN, TOP_BITS, WORD_BITS
from tb.myhdl_sim import simulate
from tb.pipeline import apply

ONE = 1 << 16  # of a mantissa, and of the random number's
CLOSE = 18, 19  # exponents at which the product decides


def word(rng, zeros):
    """A word with so many leading zeros."""
    return 0 if zeros == WORD_BITS else 1 << WORD_BITS - 1 - zeros | rng.getrandbits(WORD_BITS) >> zeros + 1


def vector(rng, length, n, zeros, top=None, mantissa=None, rm=None):
    top = rng.randrange(1 << TOP_BITS - 1, 1 << TOP_BITS) if top is None else top
    low = length - TOP_BITS
    total = top << low | rng.choice([0, (1 << low) - 1, rng.getrandbits(low)])
    mantissa = rng.randint(ONE // 2, ONE) if mantissa is None else mantissa
    rm = rng.randrange(ONE, 2 * ONE) if rm is None else rm
    x0, x1 = word(rng, zeros), rm - ONE << 16 | rng.getrandbits(16)
    return dict(total=total, mantissa=mantissa, distance=n, x0=x0, x1=x1)


def vectors():
    rng, rows = random.Random(62), []
    lengths = range(SUM_BITS_MIN, SUM_BITS + 1)
    for length in lengths:  # exponents from far below to far above those that are close
        for n in {0, 1, MAX_SHIFT, *(rng.randrange(MAX_SHIFT) for _ in range(5))}:
            for zeros in {0, 1, WORD_BITS - 1, WORD_BITS, *range(max(0, n + length - 47), min(32, n + length - 42))}:
                rows.append(vector(rng, length, n, zeros))
    while len(rows) < 6000:  # the product a little below, at or above the weight
        length, zeros, s = rng.choice(lengths), rng.randrange(WORD_BITS + 1), rng.choice(CLOSE)
        n = MAX_SHIFT - length + zeros - s
        mantissa = rng.randint(ONE // 2, ONE)
        top = rng.choice([1 << 17, (1 << 18) - 1, rng.randrange(1 << 17, 1 << 18)])
        rm = (mantissa << s) // top + rng.choice([-1, 0, 0, 1, 1])
        if not rng.randrange(4):  # equal to it: thirds that are whole
            mantissa -= mantissa % 3
            top, rm = (mantissa // 3 << s) >> 15, 3 << 15
        if 0 <= n <= MAX_SHIFT and ONE <= rm < 2 * ONE and top.bit_length() == TOP_BITS and 2 * mantissa >= ONE:
            rows.append(vector(rng, length, n, zeros, top, mantissa, rm))
    return rows


def columns(rows):
    return (np.array([row[name] for row in rows]) for name in ("total", "mantissa", "distance", "x0", "x1"))


def wanted(rows):
    total, mantissa, n, x0, x1 = columns(rows)
    return [dict(accept=int(taken)) for taken in accepts((x0, x1), mantissa, *thresholds(n, total))]


def plain(row):
    """r * sum < weight, of the sum's upper bits, in fractions of whole numbers."""
    low = row["total"].bit_length() - TOP_BITS
    z, rm = WORD_BITS - row["x0"].bit_length(), ONE | row["x1"] >> 16
    return rm * (row["total"] >> low << low) << row["distance"] < row["mantissa"] << 28 + 17 + z


def test_vectors():
    """All exponents are met, each answer at those that are close, there too where the product all but decides else."""
    rows = vectors()
    total, mantissa, n, x0, x1 = columns(rows)
    top, shift = thresholds(n, total)
    s = shift + WORD_BITS - np.frexp(x0)[1]
    product, weight = (ONE | x1 >> 16) * top, mantissa << np.clip(s, 17, 20)
    taken = np.array([row["accept"] for row in wanted(rows)], bool)
    assert taken.tolist() == [plain(row) for row in rows]
    assert s.min() < 0 and s.max() > 40 and not taken[s < CLOSE[0]].any() and taken[s > CLOSE[1]].all()
    for exponent in CLOSE:
        here = s == exponent
        assert (here & taken).sum() > 500 and (here & ~taken).sum() > 500
        assert (here & taken & (product + top >= weight)).sum() > 100
        assert (here & ~taken & (product - top < weight)).sum() > 100
        assert (here & (product == weight)).sum() > 50


def test_reservoir_myhdl():
    rows = vectors()
    assert simulate(reservoir, ports(), rows, ["accept"], LATENCY) == wanted(rows)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_reservoir(sim):
    run(reservoir, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    rows = vectors()
    found, golden = await apply(dut, rows, dict(accept=False), LATENCY), wanted(rows)
    assert found == golden
    assert len(found) == 6000
    assert found[1:] != golden[:-1]  # one cycle off is seen
