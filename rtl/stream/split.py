"""One stream to two places. A plain block, inlined."""
from myhdl import always_comb, block

from llama2_myhdl.rtl.stream.connect import carry


@block
def split(s, m, m_away, away, **driven):
    """s goes to m_away while `away` is high and to m while it is low; latency 0, nothing is stored.

    driven: fields of m that are not those of s, as in `connect`. `away` holds while a beat waits.
    """
    payload = carry(s, m, **driven)
    payload_away = carry(s, m_away)

    @always_comb
    def valid():
        m.valid.next = s.valid and not away
        m_away.valid.next = s.valid and away

    @always_comb
    def ready():
        if away:
            s.ready.next = m_away.ready
        else:
            s.ready.next = m.ready

    return payload, payload_away, valid, ready
