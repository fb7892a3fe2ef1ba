"""Sine and cosine of every pair's angle at one position: no table of positions, any context length, any theta."""
from myhdl import Signal, always, always_comb, concat, modbv

from llama2_myhdl.hdl.hierarchy import hblock, tied
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.memory import ram as storage
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.rope import sincos as wave
from llama2_myhdl.rtl.rope.sincos import VALUE_BITS, sincos
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.formats import PHASE_BITS

READ_LATENCY = storage.LATENCY  # cycles from raddr to rcos and rsin
_FETCH = 2  # cycles a pair: read its frequency
_ISSUE = 2  # cycles a pair: its cosine and its sine enter the table


def latency(pairs: int, CFG: BuildConfig) -> int:
    """Cycles from the transfer of a position to `ready`."""
    return pairs * (_FETCH + CFG.pos_bits + _ISSUE) + wave.LATENCY + 1


@hblock
def angles(clk, rst, s_pos, freq_we, freq_addr, freq_data, pairs, raddr, rcos, rsin, ready, CFG):
    """Fills a table with (cos, sin) of pos * frequency modulo one turn, as golden.fixed.rope.angles.

    s_pos: Stream(pos=uint(CFG.pos_bits)); its `ready` is low while the table is computed.
    freq_we, freq_addr, freq_data: write port of the frequencies (max_head_dim / 2 words of PHASE_BITS), for boot time.
    pairs: head_dim / 2, 1 .. max_head_dim / 2, stable while positions are taken.
    raddr: pair to read; rcos, rsin: sint(VALUE_BITS), signed 1.16, READ_LATENCY cycles later, straight from the RAM.
    ready: out, the table is complete for the last position taken. Read only while it is high.

        pos ─> shift-and-add ─> phase ─> sincos (cosine, then sine) ─> table ─> rcos, rsin
                   ^ frequencies[pair]

    The product takes pos_bits cycles a pair and no multiplier: see `latency`. One multiplier, in sincos.
    """
    PAIRS = CFG.max_head_dim // 2
    POS_BITS = CFG.pos_bits
    LOAD = _FETCH - 1
    COSINE = _FETCH + POS_BITS
    SINE = COSINE + 1
    SINCOS = wave.LATENCY

    pair, write_pair = uint(clog2(PAIRS)), uint(clog2(PAIRS))
    last_pair = uint(len(pairs))
    frequency, addend = uint(PHASE_BITS), uint(PHASE_BITS)
    phase = Signal(modbv(0)[PHASE_BITS:])
    pos, left = uint(POS_BITS), uint(POS_BITS)
    step = uint(clog2(SINE + 1))
    busy, issuing, cosine, write = [bit() for _ in range(4)]
    at_sine, at_last = bit(), bit()  # registers: step is SINE; pair is the last one
    travelling = uint(SINCOS)  # bit k: a sine entered k + 1 cycles ago
    value, cosine_value = sint(VALUE_BITS), sint(VALUE_BITS)
    word, entry = uint(2 * VALUE_BITS), uint(2 * VALUE_BITS)

    always_on = tied(bit(True))
    frequency_ram = ram(
        clk,
        we=freq_we,
        waddr=freq_addr,
        wdata=freq_data,
        load=always_on,
        raddr=pair,
        rdata=frequency,
        DEPTH=PAIRS,
    )
    sincos_ = sincos(clk, phase, cosine, value)
    angle_ram = ram(
        clk, we=write, waddr=write_pair, wdata=word, load=always_on, raddr=raddr, rdata=entry, DEPTH=PAIRS
    )

    @always_comb
    def connect():
        s_pos.ready.next = not busy
        cosine.next = step == COSINE
        write.next = travelling[SINCOS - 1]
        word.next = concat(cosine_value[VALUE_BITS:], value[VALUE_BITS:])

    @always(clk.posedge)
    def control():
        if rst:
            busy.next = False
            issuing.next = False
            ready.next = False
            travelling.next = 0
            at_sine.next = False
        else:
            travelling.next = concat(travelling[SINCOS - 1:], at_sine)
            at_sine.next = issuing and step == COSINE
            if s_pos.valid and not busy:
                busy.next = True
                issuing.next = True
                ready.next = False
                step.next = 0
                pair.next = 0
                write_pair.next = 0
            elif at_sine:
                step.next = 0
                if at_last:
                    issuing.next = False
                else:
                    pair.next = pair + 1
            elif issuing:
                step.next = step + 1
            if write:
                if write_pair == last_pair:
                    busy.next = False
                    ready.next = True
                else:
                    write_pair.next = write_pair + 1

    @always(clk.posedge)
    def multiply():
        last_pair.next = pairs - 1
        at_last.next = pair == last_pair
        if s_pos.valid and not busy:
            pos.next = s_pos.pos
        if step == LOAD:
            phase.next = 0
            addend.next = frequency
            left.next = pos
        elif step < COSINE:
            if left[0]:
                phase.next = phase + addend
            addend.next = concat(addend[PHASE_BITS - 1:], False)
            left.next = left >> 1

    @always(clk.posedge)
    def hold():
        cosine_value.next = value

    @always_comb
    def read():
        rcos.next = entry[2 * VALUE_BITS:VALUE_BITS].signed()
        rsin.next = entry[VALUE_BITS:].signed()

    return frequency_ram, sincos_, angle_ram, connect, control, multiply, hold, read


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `angles(**ports(cfg))`."""
    pair_bits = clog2(cfg.max_head_dim // 2)
    frequency = dict(freq_we=bit(), freq_addr=uint(pair_bits), freq_data=uint(PHASE_BITS))
    table = dict(raddr=uint(pair_bits), rcos=sint(VALUE_BITS), rsin=sint(VALUE_BITS), ready=bit())
    position = Stream(pos=uint(cfg.pos_bits))
    pairs = ShapeRegisters(cfg).pairs
    return dict(clk=bit(), rst=bit(), s_pos=position, **frequency, pairs=pairs, **table, CFG=cfg)
