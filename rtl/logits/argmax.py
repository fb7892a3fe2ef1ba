"""Running argmax of the streamed logits: nothing of the vocabulary's size is ever stored."""

from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.layer.packet import vector
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import BuildConfig

LATENCY = 2  # cycles from the transfer of the last logit to `m.valid`


@hblock
def argmax(clk, rst, s, m, CFG):
    """Index of the first maximum of each vector.

    s: Stream(data=F, last): logits in row order; m: Stream(token): the index, one a vector. One logit a cycle;
    LATENCY cycles from the last one to m; the next vector waits until m has been taken.
    """
    TOKEN_BITS = len(m.token)
    index = uint(TOKEN_BITS)
    SIGN = CFG.f_bits - 1
    # logits with the sign turned over: in order as unsigned numbers, whose comparison is a carry and nothing behind it
    rank, value, best = [uint(CFG.f_bits) for _ in range(3)]
    at = uint(TOKEN_BITS)
    at_first = bit()
    # each comparison ends in a register, before it is known whether `value` takes the place of `best`
    above_value, above_best, better, replaced = [bit() for _ in range(4)]
    fresh, ended, first = bit(), bit(), bit(1)
    busy = bit()  # the last logit is in, its answer not yet taken

    @always_comb
    def handshake():
        s.ready.next = not busy

    @always_comb
    def place():
        rank.next = concat(not s.data[SIGN], s.data[SIGN:])

    @always_comb
    def decide():
        better.next = fresh and (at_first or (replaced and above_value) or (not replaced and above_best))

    @always(clk.posedge)
    def register():
        replaced.next = better
        if s.valid:
            value.next = rank
            above_value.next = rank > value
            above_best.next = rank > best
            at.next = index
            at_first.next = first

    @always(clk.posedge)
    def control():
        if rst:
            index.next = 0
            first.next = True
            fresh.next = False
            ended.next = False
            busy.next = False
            m.valid.next = False
        else:
            fresh.next = s.valid and not busy
            ended.next = s.valid and not busy and s.last
            m.valid.next = ended or (m.valid and not m.ready)
            if s.valid and not busy:
                first.next = s.last
                index.next = index + 1
                if s.last:
                    index.next = 0
                    busy.next = True
            elif m.valid and m.ready:
                busy.next = False

    @always(clk.posedge)
    def compare():
        if better:
            best.next = value
            m.token.next = at

    return handshake, place, decide, register, control, compare


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `argmax(**ports(cfg))`."""
    return dict(clk=bit(), rst=bit(), s=vector(cfg), m=Stream(token=uint(cfg.token_bits)), CFG=cfg)
