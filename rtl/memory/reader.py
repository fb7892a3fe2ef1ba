"""A read port of a store: addresses in, words out, both of them streams."""
from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.elastic import elastic
from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, uint


@hblock
def reader(clk, rst, s, m, address, word, LATENCY, DEPTH=None):
    """The store stands beside it in the parent: on-chip memory, or anything that answers after a constant time.

        s ──> address ──> store ──> word ──> fifo ──> m        credits: a place in the fifo for every word asked for

    s: Stream(address); m: Stream(data), the word of each address in order. address: out, combinational from s, to the
    store; word: in, what stands there, LATENCY (1 or more) cycles later. Addresses without a transfer are read too, and
    their words dropped.
    DEPTH: words on their way and waiting; by default just enough for one a cycle. Fewer, or a longer LATENCY, cost
    stalls and nothing else. Latency LATENCY + 1; `s.ready` is a register.
    """
    elastic_ = elastic(clk, rst, s.valid, s.ready, Payload(data=word), m, LATENCY=LATENCY, DEPTH=DEPTH)

    @always_comb
    def forward():
        address.next = s.address

    return elastic_, forward


def ports(address_bits, word_bits, latency, depth=None):
    """Fresh ports and parameters, by name."""
    streams = dict(s=Stream(address=uint(address_bits)), m=Stream(data=uint(word_bits)))
    store = dict(address=uint(address_bits), word=uint(word_bits))
    return dict(clk=bit(), rst=bit(), **streams, **store, LATENCY=latency, DEPTH=depth)
