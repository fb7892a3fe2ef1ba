"""Takes one packet into a station and holds the next one back until the station is done with it."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.layer.packet import label, packet, vector
from llama2_myhdl.rtl.stream.connect import carry
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import BuildConfig

IDLE, PASS, BUSY = range(3)


@hblock
def intake(clk, rst, s, m_x, m_pos, start, done, pos, seq, scored):
    """s: packet; m_x: its residual vector (data, last); m_pos: its position (pos), once a packet, beside the vector.

    start: out, one-cycle pulse for the schedule; done: in, pulse when the station has finished the packet.
    pos, seq, scored: out, label of the packet in the station, stable from `start` to `done`.
    One cycle from a packet's arrival at an idle station to its first element.
    """
    state = uint(2)
    placed = bit()  # the position has been taken
    payload = carry(s, m_x)

    @always_comb
    def streams():
        m_x.valid.next = s.valid and state == PASS
        s.ready.next = m_x.ready and state == PASS
        m_pos.valid.next = state != IDLE and not placed
        m_pos.pos.next = pos

    @always(clk.posedge)
    def control():
        start.next = False
        if rst:
            state.next = IDLE
            pos.next = 0
        elif state == IDLE:
            pos.next = s.pos
            seq.next = s.seq
            scored.next = s.scored
            placed.next = False
            if s.valid:
                start.next = True
                state.next = PASS
        else:
            if m_pos.ready:
                placed.next = True
            if state == PASS:
                if s.valid and m_x.ready and s.last:
                    state.next = BUSY
            elif done:
                state.next = IDLE

    return payload, streams, control


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports for a build: `intake(**ports(cfg))`."""
    streams = dict(s=packet(cfg), m_x=vector(cfg), m_pos=Stream(pos=uint(cfg.pos_bits)))
    return dict(clk=bit(), rst=bit(), **streams, start=bit(), done=bit(), **label(cfg))
