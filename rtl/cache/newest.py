"""The rows that a side of an attention unit steps through: most from memory, the newest ones from a window."""

from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack, pack_payload, unpack
from llama2_myhdl.rtl.cache.rows import key_rows, token_label, value_rows
from llama2_myhdl.rtl.memory.ram import SMALL, ram
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import clog2

LATENCY = 2  # cycles from `step` to the row


def unit_heads(CFG) -> int:
    """Key/value heads of a unit at most."""
    return -(-CFG.max_kv_heads // CFG.attention_units)


@hblock
def newest(clk, rst, token, s, we, row, exponent, t, step, first, last, ends, there, found, found_exponent, CFG):
    """found, found_exponent: the row of each step, LATENCY cycles later.

    token: `token_label`; s: `key_rows` or `value_rows`: the rows that are in memory, head after head. we: write `row`,
    `exponent` into the window, those of one head of the token after the other.
    t, first, last: of the sequencer that steps through a head's rows, ends: this is the head's last pass; step: in,
    only while `there`: the row is there.
    The window holds the heads of this token and of the one before, whose rows may still be on their way to memory.
    A row must not be read in the cycle in which it is written.
    """
    HEADS = unit_heads(CFG)
    HEAD_BITS = clog2(HEADS)
    SIZE = 2 << HEAD_BITS
    writes, reads = uint(HEAD_BITS), uint(HEAD_BITS)  # heads of the token so far
    near, was_near, from_window, half = [bit() for _ in range(4)]
    waddr, raddr = uint(HEAD_BITS + 1), uint(HEAD_BITS + 1)
    word, in_window, from_memory, held, chosen = [uint(s.width) for _ in range(5)]
    unused(token.rows)

    ram_ = ram(
        clk,
        we=we,
        waddr=waddr,
        wdata=word,
        load=from_window,
        raddr=raddr,
        rdata=in_window,
        DEPTH=SIZE,
        STYLE="distributed" if SIZE <= SMALL else "auto",
    )
    storing = pack([row, exponent], word)
    streaming = pack_payload(s, from_memory)
    parting = unpack(chosen, [found, found_exponent])

    @always_comb
    def look():
        there.next = near or s.valid
        s.ready.next = step and not near
        from_window.next = step and near
        waddr.next = concat(token.turn, writes)
        half.next = token.turn == last  # of the token itself, or of the one before

    @always_comb
    def place():
        raddr.next = concat(half, reads)

    @always(clk.posedge)
    def walk():
        if rst or (step and last):
            near.next = token.none
        elif step:
            near.next = near or t == token.less
        elif first:
            near.next = token.none

    @always(clk.posedge)
    def count():
        if rst or token.begin:
            writes.next = 0
            reads.next = 0
        else:
            if we:
                writes.next = writes + 1
            if step and last and ends:
                reads.next = reads + 1

    @always(clk.posedge)
    def fetch():
        was_near.next = near
        held.next = from_memory
        if was_near:
            chosen.next = in_window
        else:
            chosen.next = held

    return ram_, storing, streaming, parting, look, place, walk, count, fetch


def ports(cfg, keys):
    """Fresh ports and parameters, by name; keys: of the side that reads keys, else of that of values."""
    rows = key_rows(cfg) if keys else value_rows(cfg)
    data, exponent = len(rows.data), len(rows.exponent)
    pins = {name: bit() for name in ("clk", "rst", "we", "step", "first", "last", "ends", "there")}
    written = dict(row=uint(data), exponent=uint(exponent))
    read = dict(t=uint(cfg.pos_bits), found=uint(data), found_exponent=uint(exponent))
    return dict(**pins, token=token_label(cfg), s=rows, **written, **read, CFG=cfg)
