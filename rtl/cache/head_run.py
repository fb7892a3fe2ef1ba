"""Where in memory the rows of the heads lie that passes read."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.attention.cache_rows import base_bits
from llama2_myhdl.rtl.axi.bursts import run_stream
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.cache import layout
from llama2_myhdl.spec.config import clog2


@hblock
def head_run(clk, rst, push, base, first, rows, less, none, m, UNIT, CFG):
    """push: in, a pass over the head `base` ({kv head of the unit, layer, seq}) waits; m: `run_stream`, its rows.

    first: address of the cache's first word; rows, less, none: see `token_label`. Passes whose rows are not in memory
    have no run. No more than max_heads passes may wait. UNIT: number of the attention unit. A run every third cycle.
    """
    WHERE = layout(CFG)
    HEAD, ROW, GROUP_BITS = WHERE.head_beats, WHERE.row_beats, WHERE.group_bits
    FRONT = UNIT * WHERE.unit_heads * HEAD
    entering, waiting = Stream(base=uint(len(base))), Stream(base=uint(len(base)))
    offset = uint(len(first))
    found = bit()
    unused(entering.ready)  # there is room for all passes of a token

    fifo_ = fifo(clk, rst, entering, waiting, DEPTH=CFG.max_heads)

    @always_comb
    def enter():
        entering.valid.next = push
        entering.base.next = base
        waiting.ready.next = not found and not m.valid

    @always(clk.posedge)
    def control():
        if rst:
            found.next = False
            m.valid.next = False
        elif found:
            found.next = False
            m.valid.next = not none
        else:
            found.next = waiting.valid and not m.valid
            if m.ready:
                m.valid.next = False

    @always(clk.posedge)
    def place():
        if not found:
            offset.next = waiting.base * HEAD
        else:
            m.word.next = first + offset + FRONT
            m.rest.next = rows * ROW + (less >> GROUP_BITS)

    return fifo_, enter, control, place


def rest_bits(CFG) -> int:
    """Bits that count the beats of all rows of a head, less one."""
    return clog2(layout(CFG).head_beats)


def ports(cfg, unit):
    """Fresh ports and parameters, by name; cfg: `BuildConfig.engine` of a build with `cache`."""
    words = cfg.cache.word_address_bits
    rows = dict(rows=uint(cfg.pos_bits), less=uint(cfg.pos_bits), none=bit())
    where = dict(push=bit(), base=uint(base_bits(cfg)), first=uint(words))
    return dict(clk=bit(), rst=bit(), **where, **rows, m=run_stream(words, rest_bits(cfg)), UNIT=unit, CFG=cfg)
