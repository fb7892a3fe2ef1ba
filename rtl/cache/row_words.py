"""From beats of the bus to the key and value rows of positions."""

from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.cache.rows import position_rows
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.cache import layout
from llama2_myhdl.spec.config import clog2

_BYTE = 8


@hblock
def row_words(clk, rst, s, m, less, CFG):
    """s: Stream(data): heads as `spec/cache.py` has them, one behind the other; m: `position_rows`, from registers.

    less: rows of each head, less one; stable while one is inside. A beat a cycle; `s.ready` follows `m.ready` within
    the cycle, while a row waits.
    """
    WHERE = layout(CFG)
    WIDTH, ROW, GROUP_BITS, LAST = CFG.cache.data_bits, WHERE.row_beats, WHERE.group_bits, WHERE.row_beats - 1
    TOP, GROUP_LAST, TWO = WIDTH * ROW, WHERE.group - 1, 2 * _BYTE
    KEY, BOTH, EXPONENT = len(m.key), len(m.key) + len(m.value), len(m.key_exponent)
    HIGH = _BYTE + EXPONENT
    in_front = bit(True)  # the next beat is one of exponents
    beat = uint(clog2(ROW))  # of a row
    t = uint(len(less))  # row of the head
    exponents, row = uint(WIDTH), uint(TOP)
    unused(row)  # its highest bits are zeros

    @always_comb
    def accept():
        s.ready.next = not m.valid or m.ready

    @always_comb
    def show():
        m.key.next = row[KEY:]
        m.value.next = row[BOTH:KEY]
        m.key_exponent.next = exponents[EXPONENT:]
        m.value_exponent.next = exponents[HIGH:_BYTE]

    @always(clk.posedge)
    def control():
        if rst:
            m.valid.next = False
            in_front.next = True
            beat.next = 0
            t.next = 0
        elif s.ready:
            m.valid.next = s.valid and not in_front and beat == LAST
            if s.valid:
                if in_front:
                    in_front.next = False
                elif beat != LAST:
                    beat.next = beat + 1
                else:
                    beat.next = 0
                    in_front.next = t == less or t[GROUP_BITS:] == GROUP_LAST
                    if t == less:
                        t.next = 0
                    else:
                        t.next = t + 1

    @always(clk.posedge)
    def follow():
        if s.ready:
            if s.valid and in_front:
                exponents.next = s.data
            elif m.valid:
                exponents.next = exponents >> TWO

    if ROW == 1:

        @always(clk.posedge)
        def take():
            if s.ready and s.valid and not in_front:
                row.next = s.data

    else:

        @always(clk.posedge)
        def take():
            if s.ready and s.valid and not in_front:
                row.next = concat(s.data, row[TOP:WIDTH])

    return accept, show, control, follow, take


def ports(cfg):
    """Fresh ports and parameters, by name."""
    s = Stream(data=uint(cfg.cache.data_bits))
    return dict(clk=bit(), rst=bit(), s=s, m=position_rows(cfg), less=uint(cfg.pos_bits), CFG=cfg)
