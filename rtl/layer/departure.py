"""Where the residual vector goes: to the norm ahead of every matrix, and out of the station behind its last layer."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.layer.packet import vector
from llama2_myhdl.rtl.stream.split import split
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import BuildConfig


@hblock
def departure(clk, rst, s, m_norm, m_exit, start, stay, n_layers):
    """Combinational split of the vectors of `s` (data, last) by their place in the packet's way through the station.

    A packet has one vector as it comes and two a layer: the last of these 2 * n_layers + 1 leaves by m_exit unless
    `stay` (the head in this station wants it); all others go to m_norm. start: in, pulse ahead of a packet's first
    vector or beside its first element. stay, n_layers: stable from the cycle before `start` on, while a packet is
    in the station.
    """
    vectors = uint(len(n_layers) + 1)  # that have passed
    empty = bit()  # a station without layers
    passed_all, at_end, leaving = bit(), bit(), bit()
    split_ = split(s, m_norm, m_exit, leaving)

    @always_comb
    def place():
        # at `start` the count is still the last packet's, and the first element may be there already
        if start:
            at_end.next = empty
        else:
            at_end.next = passed_all

    @always_comb
    def choose():
        leaving.next = at_end and not stay

    @always(clk.posedge)
    def count():
        empty.next = n_layers == 0
        if rst or start:
            vectors.next = 0
            passed_all.next = empty
        elif s.valid and s.ready and s.last:
            vectors.next = vectors + 1
            passed_all.next = vectors + 1 == (n_layers << 1)

    return split_, place, choose, count


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports for a build: `departure(**ports(cfg))`."""
    streams = {name: vector(cfg) for name in ("s", "m_norm", "m_exit")}
    return dict(clk=bit(), rst=bit(), **streams, start=bit(), stay=bit(), n_layers=uint(cfg.max_layers.bit_length()))
