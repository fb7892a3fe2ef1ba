"""An AXI4 master that writes runs of words to memory."""

from myhdl import always, always_comb, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.axi.bursts import bursts, piece_stream, run_stream
from llama2_myhdl.rtl.axi.channels import WriteChannels
from llama2_myhdl.rtl.axi.under_way import under_way
from llama2_myhdl.rtl.stream.connect import carry
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.axi import BUFFERABLE, DATA, INCR, LEN_BITS, SLVERR, ReadMaster
from llama2_myhdl.spec.errors import BUS_ERROR_BITS, NONE, WRITE_DECODE_ERROR, WRITE_SLAVE_ERROR


@hblock
def write_master(clk, rst, s, s_word, m_axi, done, error, busy, AXI):
    """Writes runs in their order, several bursts under way.

        runs ──> bursts ──> AW ─┬─> lengths ─┐
        words ──────────────────┼────────────┴─> W      no word goes ahead of its address
                                └─> ends <────── B ──> done

    s: `run_stream`; s_word: Stream(data, strb), the words of these runs one behind the other, a bit of strb for each
    byte that is written. A run may be announced before its words are there: they make W late and nothing else.
    m_axi: `WriteChannels`; every burst has ID 0, so the answers come in order. BREADY is high but in reset.
    done: out, a register, a pulse for each run whose last burst was answered, if no answer before was an error.
    error: out, a register, until reset: WRITE_SLAVE_ERROR or WRITE_DECODE_ERROR, the first answer that is one: no burst
    begins any more, those under way get their words. busy: out, a register: bursts are under way.
    AXI: `spec.axi.ReadMaster`, whose `depth` does not matter here.
    """
    OFFSET = AXI.offset_bits
    aw, w, b = m_axi.aw, m_axi.w, m_axi.b
    pieces = piece_stream(AXI.word_address_bits)
    length, next_length = Stream(len=uint(LEN_BITS)), Stream(len=uint(LEN_BITS))
    end, next_end = Stream(last=bit()), Stream(last=bit())
    begins, ends, stop, bad, room, moves, at_last, ending = [bit() for _ in range(8)]
    beat = uint(LEN_BITS)  # of the burst whose words go out
    address, beats = uint(AXI.address_bits), uint(len(aw.len))

    bursts_ = bursts(clk, rst, s, pieces, BURST=AXI.burst)
    under_way_ = under_way(clk, rst, take=begins, give=ends, stop=stop, room=room, busy=busy, LIMIT=AXI.outstanding)
    # no more bursts are under way than there are places, so both always take
    lengths = fifo(clk, rst, length, next_length, DEPTH=AXI.outstanding)
    last_ones = fifo(clk, rst, end, next_end, DEPTH=AXI.outstanding)
    constant = carry(pieces, aw, id=0, addr=address, len=beats, size=OFFSET, burst=INCR, cache=BUFFERABLE, prot=DATA)
    unused(length.ready, end.ready, next_end.valid, b.id)

    @always_comb
    def look():
        stop.next = error != NONE
        bad.next = b.resp >= SLVERR
        begins.next = pieces.valid and room and (aw.ready or not aw.valid)
        at_last.next = beat == next_length.len
        moves.next = next_length.valid and s_word.valid and (w.ready or not w.valid)

    @always_comb
    def begin():
        pieces.ready.next = begins
        length.valid.next = aw.valid and aw.ready
        length.len.next = beats
        end.valid.next = aw.valid and aw.ready
        end.last.next = ending

    @always_comb
    def go_on():
        s_word.ready.next = next_length.valid and (w.ready or not w.valid)
        next_length.ready.next = moves and at_last
        next_end.ready.next = b.valid and b.ready

    @always(clk.posedge)
    def control():
        if rst:
            aw.valid.next = False
            w.valid.next = False
            b.ready.next = False
            ends.next = False
            done.next = False
            beat.next = 0
        else:
            b.ready.next = True
            if begins:
                aw.valid.next = True
            elif aw.ready:
                aw.valid.next = False
            if moves:
                w.valid.next = True
                if at_last:
                    beat.next = 0
                else:
                    beat.next = beat + 1
            elif w.ready:
                w.valid.next = False
            ends.next = b.valid and b.ready
            done.next = b.valid and b.ready and next_end.last and not bad and not stop

    @always(clk.posedge)
    def send():
        if begins:
            address.next = concat(pieces.word, intbv(0)[OFFSET:])
            beats.next = pieces.len
            ending.next = pieces.last
        if moves:
            w.data.next = s_word.data
            w.strb.next = s_word.strb
            w.last.next = at_last

    @always(clk.posedge)
    def judge():
        if rst:
            error.next = NONE
        elif error == NONE and b.valid and b.ready and bad:
            if b.resp == SLVERR:
                error.next = WRITE_SLAVE_ERROR
            else:
                error.next = WRITE_DECODE_ERROR

    return bursts_, under_way_, lengths, last_ones, constant, look, begin, go_on, control, send, judge


def ports(axi: ReadMaster, rest_bits: int) -> dict:
    """Fresh ports and parameters, by name; rest_bits: of the words of a run, less one."""
    return dict(
        clk=bit(),
        rst=bit(),
        s=run_stream(axi.word_address_bits, rest_bits),
        s_word=Stream(data=uint(axi.data_bits), strb=uint(axi.word_bytes)),
        m_axi=WriteChannels(axi),
        done=bit(),
        error=uint(BUS_ERROR_BITS),
        busy=bit(),
        AXI=axi,
    )
