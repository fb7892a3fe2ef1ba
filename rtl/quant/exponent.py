"""The exponent of a block: how far its largest magnitude must shift to fit the mantissas."""
from myhdl import always_comb, intbv

from rtl.hdl.hierarchy import hblock


@hblock
def exponent(magnitudes, narrow, e, BITS, NARROW):
    """e = max(0, bit length of `magnitudes` - (BITS - 1)), with NARROW in place of BITS when `narrow`. Combinational.

    Ports: magnitudes unsigned, the OR of a block's one's complement magnitudes; narrow bool; e unsigned.
    """
    LENGTH = len(magnitudes)
    E_BITS = len(e)
    FULL, SHORT = BITS - 1, NARROW - 1
    if LENGTH - min(FULL, SHORT) >= 1 << E_BITS:
        raise ValueError(f"exponent: e must hold {LENGTH - min(FULL, SHORT)}, has {E_BITS} bits")

    # each place of the topmost set bit is told by itself, and their codes are ORed: a tree, not a chain
    @always_comb
    def encode():
        rest = intbv(0)[LENGTH:]
        code = intbv(0)[E_BITS:]
        code[:] = 0
        if narrow:
            for k in range(SHORT, LENGTH):
                rest[:] = magnitudes >> k
                if rest == 1:
                    code[:] = code | (k + 1 - SHORT)
        else:
            for k in range(FULL, LENGTH):
                rest[:] = magnitudes >> k
                if rest == 1:
                    code[:] = code | (k + 1 - FULL)
        e.next = code

    return encode
