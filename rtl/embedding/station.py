"""The first station: a token request in, a packet out."""

from myhdl import always, always_comb

from rtl.embedding.embedding import embedding
from rtl.hdl.hierarchy import hblock
from rtl.layer.packet import vector
from rtl.stream.stream import Stream, bit, uint


@hblock
def embed_station(clk, rst, s_boot, s, m, dim, dim_beats, CFG):
    """s: token_request; m: packet with the token's embedding; s_boot: the embedding section of the boot image.

    dim, dim_beats: shape registers. Takes the next request when the packet's last element has left.
    """
    lookup = Stream(token=uint(CFG.token_bits))
    x = vector(CFG)
    busy = bit()
    table = embedding(clk, rst, s_boot, lookup, x, dim, dim_beats, CFG=CFG)

    @always_comb
    def request():
        lookup.token.next = s.token
        lookup.valid.next = s.valid and not busy
        s.ready.next = lookup.ready and not busy

    @always_comb
    def output():
        m.data.next = x.data
        m.last.next = x.last
        m.valid.next = x.valid
        x.ready.next = m.ready

    @always(clk.posedge)
    def control():
        if rst:
            busy.next = False
        elif s.valid and s.ready:
            busy.next = True
            m.pos.next = s.pos
            m.seq.next = s.seq
        elif m.valid and m.ready and m.last:
            busy.next = False

    return table, request, output, control
