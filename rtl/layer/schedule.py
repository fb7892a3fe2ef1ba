"""The order of work on a token: emits the matvec's commands of `spec/program.py` from the shape registers."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.matvec.streams import command_stream
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.kinds import DOWN, GAIN, GATE_UP, KEY, LOGITS, OUT, PARTIAL, QUERY, VALUE

# steps of the sequence; those from KEY_STEP to DOWN_STEP repeat for every layer, DOWN_STEP for every block of W2
IDLE, FIRST_GAIN, KEY_STEP, QUERY_STEP, VALUE_STEP, FFN_GAIN, OUT_STEP, NEXT_GAIN, GATE_UP_STEP, DOWN_STEP = range(10)
LOGITS_STEP = 10
STEP_BITS = 4
# of the shape, those that `schedule` reads
REGISTERS = ("dim", "kv_dim", "hidden_dim", "vocab_size", "dim_beats", "hidden_beats", "gain_beats")


@hblock
def schedule(
    clk, rst, start, head, m, layer, n_layers, dim, kv_dim, hidden_dim, vocab_size, dim_beats, hidden_beats, gain_beats,
    CFG
):
    """One command a matrix, block or gain vector, for `n_layers` layers and, with `head`, the classifier.

    start: pulse, only while no command is left; head: beside it, the final norm and the classifier follow the layers.
    m: Stream(kind, rows, beats, release, head). layer: out, the layer of the latest KEY command, held until the next
    one. n_layers: those of this engine, 0 for a head alone. dim .. gain_beats: shape registers.
    A command is offered the cycle after the one before it was taken.
    """
    BLOCK = CFG.block_beats
    step = uint(STEP_BITS)
    count = uint(len(n_layers))  # layers begun
    left = uint(len(hidden_beats))  # beats of a W2 row that are still to come
    # at_last: the layer under way is the last one; more: the block of W2 is not the last one
    headed, at_last, more, moved = [bit() for _ in range(4)]

    @always_comb
    def command():
        m.kind.next = GAIN
        m.rows.next = 0
        m.beats.next = gain_beats + 1
        m.release.next = False
        if step == KEY_STEP:
            m.kind.next = KEY
            m.rows.next = kv_dim
            m.beats.next = dim_beats
        elif step == QUERY_STEP:
            m.kind.next = QUERY
            m.rows.next = dim
            m.beats.next = dim_beats
        elif step == VALUE_STEP:
            m.kind.next = VALUE
            m.rows.next = kv_dim
            m.beats.next = dim_beats
            m.release.next = True
        elif step == OUT_STEP:
            m.kind.next = OUT
            m.rows.next = dim
            m.beats.next = dim_beats
            m.release.next = True
        elif step == GATE_UP_STEP:
            m.kind.next = GATE_UP
            m.rows.next = hidden_dim << 1
            m.beats.next = dim_beats
            m.release.next = True
        elif step == DOWN_STEP:
            m.rows.next = dim
            m.release.next = True
            if more:
                m.kind.next = PARTIAL
                m.beats.next = BLOCK
            else:
                m.kind.next = DOWN
                m.beats.next = left
        elif step == LOGITS_STEP:
            m.kind.next = LOGITS
            m.rows.next = vocab_size
            m.beats.next = dim_beats
            m.release.next = True

    @always_comb
    def handshake():
        m.valid.next = step != IDLE
        at_last.next = count == n_layers
        m.head.next = step == LOGITS_STEP or (step == NEXT_GAIN and count == n_layers)
        moved.next = m.ready and step != IDLE
        more.next = left > BLOCK

    @always(clk.posedge)
    def blocks():
        if step == GATE_UP_STEP:
            left.next = hidden_beats
        elif moved and step == DOWN_STEP and more:
            left.next = left - BLOCK

    @always(clk.posedge)
    def advance():
        if rst:
            step.next = IDLE
            layer.next = 0
        elif start:
            headed.next = head
            count.next = 0
            if n_layers == 0:
                step.next = NEXT_GAIN
            else:
                step.next = FIRST_GAIN
        elif moved:
            if step == KEY_STEP:
                layer.next = count
                count.next = count + 1
                step.next = QUERY_STEP
            elif step == OUT_STEP and at_last and not headed:
                step.next = GATE_UP_STEP
            elif step == NEXT_GAIN and n_layers == 0:
                step.next = LOGITS_STEP
            elif step == DOWN_STEP:
                if more:
                    step.next = DOWN_STEP
                elif not at_last:
                    step.next = KEY_STEP
                elif headed:
                    step.next = LOGITS_STEP
                else:
                    step.next = IDLE
            elif step == LOGITS_STEP:
                step.next = IDLE
            else:
                step.next = step + 1

    return command, handshake, blocks, advance


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `schedule(**ports(cfg))`."""
    shape = ShapeRegisters(cfg)
    return dict(
        clk=bit(),
        rst=bit(),
        start=bit(),
        head=bit(),
        m=command_stream(cfg),
        layer=uint(clog2(cfg.max_layers)),
        n_layers=uint(cfg.max_layers.bit_length()),
        **shape.named(REGISTERS),
        CFG=cfg,
    )
