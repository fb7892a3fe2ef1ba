"""The order of work on a token: emits the matvec's commands of `rtl/layer/program.py` from the shape registers."""

from myhdl import always, always_comb

from rtl.hdl.hierarchy import hblock
from rtl.layer.kinds import DOWN, GAIN, GATE_UP, KEY, LOGITS, OUT, QUERY, VALUE
from rtl.stream.stream import bit, uint

# steps of the sequence; those from KEY_STEP to DOWN_STEP repeat for every layer
IDLE, FIRST_GAIN, KEY_STEP, VALUE_STEP, QUERY_STEP, FFN_GAIN, OUT_STEP, GATE_UP_STEP, NEXT_GAIN, DOWN_STEP, HEAD = (
    range(11)
)
STEP_BITS = 4


@hblock
def schedule(
    clk, rst, start, m, layer, dim, kv_dim, hidden_dim, vocab_size, n_layers, dim_beats, hidden_beats, gain_beats
):
    """One command a matrix or gain vector, from `start` (pulse, only while no command is left) to the classifier's.

    m: Stream(kind, rows, beats, release). layer: out, the layer of the latest KEY command, held until the next one.
    dim .. gain_beats: shape registers. A command is offered the cycle after the one before it was taken.
    """
    step = uint(STEP_BITS)
    count = uint(len(n_layers))  # layers begun
    moved = bit()

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
        elif step == VALUE_STEP:
            m.kind.next = VALUE
            m.rows.next = kv_dim
            m.beats.next = dim_beats
        elif step == QUERY_STEP:
            m.kind.next = QUERY
            m.rows.next = dim
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
            m.kind.next = DOWN
            m.rows.next = dim
            m.beats.next = hidden_beats
            m.release.next = True
        elif step == HEAD:
            m.kind.next = LOGITS
            m.rows.next = vocab_size
            m.beats.next = dim_beats
            m.release.next = True

    @always_comb
    def handshake():
        m.valid.next = step != IDLE
        moved.next = m.ready and step != IDLE

    @always(clk.posedge)
    def advance():
        if rst:
            step.next = IDLE
            layer.next = 0
        elif start:
            step.next = FIRST_GAIN
            count.next = 0
        elif moved:
            if step == KEY_STEP:
                layer.next = count
                count.next = count + 1
                step.next = VALUE_STEP
            elif step == DOWN_STEP:
                if count == n_layers:
                    step.next = HEAD
                else:
                    step.next = KEY_STEP
            elif step == HEAD:
                step.next = IDLE
            else:
                step.next = step + 1

    return command, handshake, advance
