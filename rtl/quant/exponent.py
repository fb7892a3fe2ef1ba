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
    PLACES = 1 << E_BITS
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

    # a tree over the places that count, two neighbours a step: whether one is set, and the topmost one's number so far
    @always_comb
    def encode():
        some = intbv(0)[PLACES:]
        code = intbv(0)[PLACES * E_BITS:]
        some[:] = largest[LENGTH:BASE] << 1  # place 0 is that of an exponent of 0
        code[:] = 0
        for level in range(E_BITS):
            for node in range(PLACES >> (level + 1)):
                for k in range(level):
                    if some[2 * node + 1]:
                        code[E_BITS * node + k] = code[E_BITS * (2 * node + 1) + k]
                    else:
                        code[E_BITS * node + k] = code[E_BITS * 2 * node + k]
                code[E_BITS * node + level] = some[2 * node + 1]
                some[node] = some[2 * node + 1] or some[2 * node]
        e.next = code[E_BITS:]

    return measure, gather, choose, encode


def ports(BITS: int, EBITS: int = EXPONENT_BITS) -> dict:
    """Fresh ports and parameters for mantissas of BITS bits, an exponent of EBITS."""
    elements = dict(take=bit(), first=bit(), half=uint(1), data=sint(F_BITS), second=sint(F_BITS), both=bit())
    return dict(clk=bit(), **elements, of=uint(1), e=uint(EBITS), BITS=BITS)
