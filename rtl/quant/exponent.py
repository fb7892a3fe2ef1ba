"""The exponent of a block: how far its largest magnitude must shift to fit the mantissas."""
from myhdl import always, always_comb, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.formats import F_BITS

HALVES = 2
EXPONENT_BITS = (F_BITS - 1).bit_length()  # of a vector's exponent


@hblock
def exponent(clk, take, first, half, data, second, both, of, e, BITS):
    """e = max(0, bit length of a vector's magnitudes ORed - (BITS - 1)), for the last vector in each of two halves.

    Ports: clk; take: data (signed) belongs to the vector of `half` (one bit), and so does `second` if `both`; first:
    they open it; of: the half whose exponent is wanted; e unsigned: follows `of` within the cycle, one cycle after the
    vector's last element.
    """
    F = len(data)
    LENGTH = F - 1
    E_BITS = len(e)
    BASE = BITS - 1
    if F - BITS >= 1 << E_BITS:
        raise ValueError(f"exponent: e must hold {F - BITS}, has {E_BITS} bits")

    magnitude, largest = uint(LENGTH), uint(LENGTH)  # one's complement
    magnitudes = [uint(LENGTH) for _ in range(HALVES)]  # ORed over a vector

    @always_comb
    def measure():
        one = intbv(0)[LENGTH:]
        other = intbv(0)[LENGTH:]
        one[:] = data[LENGTH:]
        other[:] = second[LENGTH:]
        if data[LENGTH]:
            one[:] = ~one
        if second[LENGTH]:
            other[:] = ~other
        if not both:
            other[:] = 0
        magnitude.next = one | other

    @always(clk.posedge)
    def gather():
        if take:
            if first:
                magnitudes[half].next = magnitude
            else:
                magnitudes[half].next = magnitudes[half] | magnitude

    @always_comb
    def choose():
        largest.next = magnitudes[of]

    # each place of the topmost set bit is told by itself, and their codes are ORed: a tree, not a chain
    @always_comb
    def encode():
        rest = intbv(0)[LENGTH:]
        code = intbv(0)[E_BITS:]
        code[:] = 0
        for k in range(BASE, LENGTH):
            rest[:] = largest >> k
            if rest == 1:
                code[:] = code | (k + 1 - BASE)
        e.next = code

    return measure, gather, choose, encode


def ports(BITS: int, EBITS: int = EXPONENT_BITS) -> dict:
    """Fresh ports and parameters for mantissas of BITS bits, an exponent of EBITS."""
    elements = dict(take=bit(), first=bit(), half=uint(1), data=sint(F_BITS), second=sint(F_BITS), both=bit())
    return dict(clk=bit(), **elements, of=uint(1), e=uint(EBITS), BITS=BITS)
