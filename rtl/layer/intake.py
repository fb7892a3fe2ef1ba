"""Takes one packet into an engine and holds the next one back until the engine is done with it."""

from myhdl import always, always_comb

from rtl.hdl.hierarchy import hblock
from rtl.stream.stream import uint

IDLE, ANGLES, PASS, BUSY = range(4)


@hblock
def intake(clk, rst, s, m_x, m_pos, start, done, pos, seq):
    """s: packet; m_x: its residual vector (data, last); m_pos: its position (pos), once a packet, ahead of the vector.

    start: out, one-cycle pulse for the schedule; done: in, pulse when the engine has finished the packet.
    pos, seq: out, those of the packet in the engine, stable from `start` to `done`.
    """
    state = uint(2)

    @always_comb
    def streams():
        m_x.data.next = s.data
        m_x.last.next = s.last
        m_x.valid.next = s.valid and state == PASS
        s.ready.next = m_x.ready and state == PASS
        m_pos.valid.next = state == ANGLES
        m_pos.pos.next = pos
        start.next = m_pos.ready and state == ANGLES

    @always(clk.posedge)
    def control():
        if rst:
            state.next = IDLE
            pos.next = 0
        elif state == IDLE:
            pos.next = s.pos
            seq.next = s.seq
            if s.valid:
                state.next = ANGLES
        elif state == ANGLES:
            if m_pos.ready:
                state.next = PASS
        elif state == PASS:
            if s.valid and m_x.ready and s.last:
                state.next = BUSY
        elif done:
            state.next = IDLE

    return streams, control
