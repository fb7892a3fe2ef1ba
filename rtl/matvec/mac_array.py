"""The multipliers: one beat of weights against one word of activations."""

from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.arith.adder_tree import adder_tree
from llama2_myhdl.rtl.arith.adder_tree import latency as tree_latency
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2


def latency(lanes: int) -> int:
    """Cycles from w and a to y: product register, adder tree."""
    return 1 + tree_latency(lanes)


@hblock
def mac_array(clk, enable, w, a, y, LANES):
    """y = dot product of w and a. A pipeline, one a cycle.

    Ports: clk; enable, a register: w and a are to be multiplied: what comes without it changes nothing, and y stays the
    product before; w, a unsigned buses of LANES signed elements each, element 0 low, both from plain registers;
    y signed, len(w) / LANES + len(a) / LANES + log2(LANES) bits, so it cannot overflow.
    Latency `latency(LANES)` cycles. LANES multipliers (8 x 16 bits fit an 18 x 18 DSP).

        w, a ─> * ─> reg ─> adder tree ─> y
    """
    W_BITS, A_BITS = len(w) // LANES, len(a) // LANES
    weights = [sint(W_BITS) for _ in range(LANES)]
    values = [sint(A_BITS) for _ in range(LANES)]
    products = [sint(W_BITS + A_BITS) for _ in range(LANES)]
    terms = uint(LANES * (W_BITS + A_BITS))
    summing = bit()
    unpack_w = unpack(w, weights)
    unpack_a = unpack(a, values)
    pack_products = pack(products, terms)
    adder_tree_ = adder_tree(clk, summing, terms, y, N=LANES)

    @always(clk.posedge)
    def multiply():
        summing.next = enable
        if enable:
            for k in range(LANES):
                products[k].next = weights[k] * values[k]

    return unpack_w, unpack_a, pack_products, adder_tree_, multiply


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `mac_array(**ports(cfg))`."""
    y = sint(cfg.weight_bits + cfg.act_bits + clog2(cfg.lanes))
    return dict(clk=bit(), enable=bit(), w=uint(cfg.beat_bits), a=uint(cfg.act_word_bits), y=y, LANES=cfg.lanes)
