"""Where the residual vector goes: to the norm ahead of every matrix, and out of the station behind its last layer."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.layer.packet import vector
from llama2_myhdl.rtl.stream.split import split
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import BuildConfig


@hblock
def departure(clk, rst, s, m_norm, m_exit, stay, n_layers):
    """Combinational split of the vectors of `s` (data, last) by their place in the packet's way through the station.

    A packet has one vector as it comes and two a layer: the last of these 2 * n_layers + 1 leaves by m_exit unless
    `stay` (the head in this station wants it); all others go to m_norm. stay, n_layers: stable while a packet is in the
    station, n_layers from the cycle before its first element on.
    """
    vectors = uint(len(n_layers) + 1)  # that have passed
    passed_all = bit()  # but the packet's last one
    leaving = bit()
    split_ = split(s, m_norm, m_exit, leaving)

    @always_comb
    def choose():
        leaving.next = passed_all and not stay

    # a packet's last vector makes the place of the next packet's first one, so that nothing need tell of its start
    @always(clk.posedge)
    def count():
        if rst:
            vectors.next = 0
        elif s.valid and s.ready and s.last:
            if passed_all:
                vectors.next = 0
                passed_all.next = n_layers == 0
            else:
                vectors.next = vectors + 1
                passed_all.next = vectors + 1 == (n_layers << 1)
        elif vectors == 0:
            passed_all.next = n_layers == 0

    return split_, choose, count


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports for a build: `departure(**ports(cfg))`."""
    streams = {name: vector(cfg) for name in ("s", "m_norm", "m_exit")}
    return dict(clk=bit(), rst=bit(), **streams, stay=bit(), n_layers=uint(cfg.max_layers.bit_length()))
