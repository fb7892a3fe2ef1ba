"""Embedding look-up: a token becomes its row of the table, as residual vector."""
from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.embedding.embedding_rows import embedding_rows, read_latency, words
from llama2_myhdl.rtl.embedding.widen import LATENCY as WIDEN
from llama2_myhdl.rtl.embedding.widen import SHIFT_BITS, widen
from llama2_myhdl.rtl.stream import fifo as output_fifo
from llama2_myhdl.rtl.stream.pipeline import pipeline
from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2


def latency(cfg: BuildConfig) -> int:
    """Cycles from the transfer of a token to its first element, when nothing waits."""
    return len(ShapeRegisters(cfg).dim_beats) + 1 + _pipeline(cfg) + output_fifo.LATENCY


def _pipeline(cfg: BuildConfig) -> int:
    """Cycles from an address to its element."""
    return read_latency(cfg) + WIDEN


@hblock
def embedding(clk, rst, s_boot, s_token, m, dim, dim_beats, CFG):
    """m = mantissas of the token's row times 2**exponent, as golden.fixed.embedding.embed; it cannot saturate.

    s_boot: Stream(data=uint(CFG.beat_bits), last=bit()), fills the table: see `embedding_rows`. Always ready.
    s_token: Stream(token=uint(CFG.token_bits)), below the vocabulary's size (the sender checks), after the boot stream.
    m: Stream(data=F, last=bit()): `dim` elements a token, last on the last. Exponents are -20 .. 3.
    dim, dim_beats: shape registers, dim_beats = dim / lanes rounded up; stable while tokens are taken.

    One element a cycle; `latency` cycles to the first one, then the next token can be taken. No multipliers: the row's
    address is token * dim_beats by shift-and-add, a cycle for each bit of dim_beats.

        s_token ─> address ─> embedding_rows ─> widen ─> fifo ─> m        credits: a place in the fifo an element
    """
    PIPELINE = _pipeline(CFG)
    TOKEN = clog2(CFG.max_vocab)
    LANE_BITS = clog2(CFG.lanes)
    LAST_LANE = CFG.lanes - 1
    DIM_BITS = len(dim)
    F_FRAC = CFG.f_frac
    STEPS = len(dim_beats)
    DEPTH = PIPELINE + output_fifo.LATENCY + 3

    take, room, multiplying, running, issue, ending = [bit() for _ in range(6)]
    token = uint(TOKEN)
    addend, address = [Signal(modbv(0)[clog2(words(CFG)):]) for _ in range(2)]
    left = uint(STEPS)
    step = uint(clog2(STEPS))
    lane = Signal(modbv(0)[LANE_BITS:])
    lane_there = uint(LANE_BITS)
    remaining = uint(DIM_BITS)
    word = uint(CFG.beat_bits)
    exponent = sint(CFG.exp_bits)
    shift = uint(SHIFT_BITS)
    travelling = uint(PIPELINE)
    result = Payload(data=sint(len(m.data)))

    embedding_rows_ = embedding_rows(
        clk,
        rst,
        s_boot=s_boot,
        dim_beats=dim_beats,
        address=address,
        word=word,
        token=token,
        exponent=exponent,
        CFG=CFG,
    )
    delay_ = delay(clk, lane, lane_there, CYCLES=read_latency(CFG))
    widen_ = widen(clk, word, lane_there, shift, result.data, BITS=CFG.weight_bits)
    pipeline_ = pipeline(
        clk,
        rst,
        take=issue,
        enter=issue,
        label=Payload(last=ending),
        result=result,
        m=m,
        room=room,
        travelling=travelling,
        LATENCY=PIPELINE,
        DEPTH=DEPTH,
    )
    unused(travelling, s_token.token)

    @always_comb
    def handshake():
        s_token.ready.next = not multiplying and not running
        take.next = s_token.valid and not multiplying and not running
        issue.next = running and room
        ending.next = remaining == 1

    @always(clk.posedge)
    def control():
        if rst:
            multiplying.next = False
            running.next = False
        else:
            if take:
                multiplying.next = True
                step.next = 0
            elif multiplying:
                if step == STEPS - 1:
                    multiplying.next = False
                    running.next = True
                else:
                    step.next = step + 1
            elif issue and ending:
                running.next = False

    @always(clk.posedge)
    def place():
        if take:
            token.next = s_token.token[TOKEN:]
            addend.next = s_token.token[TOKEN:]
            address.next = 0
            left.next = dim_beats
            remaining.next = dim
            lane.next = 0
        elif multiplying:
            if left[0]:
                address.next = address + addend
            addend.next = addend << 1
            left.next = left >> 1
        elif issue:
            remaining.next = remaining - 1
            lane.next = lane + 1
            if lane == LAST_LANE:
                address.next = address + 1

    # the exponent of a new token gets here in time for its first element, and after the last of the token before
    @always(clk.posedge)
    def offset():
        shift.next = exponent + F_FRAC

    return embedding_rows_, delay_, widen_, pipeline_, handshake, control, place, offset


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters, by name."""
    shape = ShapeRegisters(cfg)
    return dict(
        clk=bit(),
        rst=bit(),
        s_boot=Stream(data=uint(cfg.beat_bits), last=bit()),
        s_token=Stream(token=uint(cfg.token_bits)),
        m=Stream(data=sint(cfg.f_bits), last=bit()),
        dim=shape.dim,
        dim_beats=shape.dim_beats,
        CFG=cfg,
    )
