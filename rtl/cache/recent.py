"""What is known of a token's rows before they are streamed, and when a token may come."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.cache.rows import token_label
from llama2_myhdl.rtl.quant.quantiser import word_stream
from llama2_myhdl.rtl.stream.connect import carry
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import clog2


@hblock
def recent(clk, rst, s, s_value, m, m_value, busy, layer, seq, pos, n_kv_heads, written, token):
    """The streams of rows of `attention` pass, but a token waits until the rows of the last but one are in memory.

    So the windows need to hold two tokens: at its begin all older rows are acknowledged, and can be read. If the token
    before was of the position before, in the same layer and sequence, its row is read from the window too.
    s, s_value, busy, layer, seq, pos, n_kv_heads: as of `attention`; written: in, the row of a key/value head has been
    acknowledged by the memory, in the order of the rows; token: out, `token_label`.
    """
    # rows of this token's half of the windows, and of the other's, that are not acknowledged
    left0, left1 = uint(len(n_kv_heads)), uint(len(n_kv_heads))
    vacant, is_open, kept, two, ack = [bit() for _ in range(5)]  # ack: the half whose rows are acknowledged
    last_layer, last_seq, next_pos = uint(len(layer)), uint(len(seq)), uint(len(pos) + 1)
    forward = carry(s, m), carry(s_value, m_value)

    @always_comb
    def look():
        if token.turn:
            vacant.next = left0 == 0
        else:
            vacant.next = left1 == 0

    @always_comb
    def gate():
        is_open.next = busy or vacant

    @always_comb
    def handshake():
        m.valid.next = s.valid and is_open
        s.ready.next = m.ready and is_open
        m_value.valid.next = s_value.valid and is_open
        s_value.ready.next = m_value.ready and is_open
        token.begin.next = vacant and not busy and ((s.valid and m.ready) or (s_value.valid and m_value.ready))

    @always(clk.posedge)
    def follow():
        if rst:
            token.turn.next = False
            kept.next = False
            two.next = False
        elif token.begin:
            token.turn.next = not token.turn
            kept.next = True
            two.next = kept and layer == last_layer and seq == last_seq and pos == next_pos
            last_layer.next = layer
            last_seq.next = seq
            next_pos.next = pos + 1

    @always(clk.posedge)
    def count():
        token.none.next = pos == 0 or (two and pos == 1)
        if two:
            token.rows.next = pos - 1
        else:
            token.rows.next = pos
        if token.rows != 0:
            token.less.next = token.rows - 1

    @always(clk.posedge)
    def acknowledge():
        if rst:
            left0.next = 0
            left1.next = 0
            ack.next = True
        else:
            if token.begin and token.turn:
                left0.next = n_kv_heads
            elif written and not ack:
                left0.next = left0 - 1
                ack.next = left0 == 1
            if token.begin and not token.turn:
                left1.next = n_kv_heads
            elif written and ack:
                left1.next = left1 - 1
                ack.next = left1 != 1

    return forward, look, gate, handshake, follow, count, acknowledge


def ports(cfg):
    """Fresh ports, by name."""
    s, s_value = word_stream(cfg.max_head_dim, cfg.act_bits), word_stream(cfg.max_head_dim, cfg.value_bits)
    label = dict(layer=uint(clog2(cfg.max_layers)), seq=uint(cfg.seq_bits), pos=uint(cfg.pos_bits))
    return dict(
        clk=bit(),
        rst=bit(),
        s=s,
        s_value=s_value,
        m=s.clone(),
        m_value=s_value.clone(),
        busy=bit(),
        **label,
        n_kv_heads=uint(cfg.max_kv_heads.bit_length()),
        written=bit(),
        token=token_label(cfg),
    )
