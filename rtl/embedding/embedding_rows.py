"""Memory of the embedding: int8 rows and their exponents, filled by the boot stream."""
from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import clog2

READ_LATENCY = 2  # cycles from address to word, and from token to exponent


@hblock
def embedding_rows(clk, rst, s_boot, dim_beats, address, word, token, exponent, CFG):
    """Two memories, each with a register behind it.

    s_boot: Stream(data=uint(CFG.beat_bits), last=bit()): for each token one beat with the exponent (byte 0, signed),
    then `dim_beats` beats of the row; from token 0 on, and from token 0 again after `last`. Always ready.
    address: in, token * dim_beats + beat; word: out, that beat of the row.
    token: in; exponent: out, sint(CFG.exp_bits). Do not read before the boot stream has ended.
    Holds max_vocab rows of CFG.dim_beats beats.
    """
    DEPTH = CFG.max_vocab * CFG.dim_beats
    EXP_BITS = CFG.exp_bits

    word_address = Signal(modbv(0)[len(address):])
    write_token = Signal(modbv(0)[clog2(CFG.max_vocab):])
    beat = uint(len(dim_beats))
    exponent_data, exponent_read = uint(EXP_BITS), uint(EXP_BITS)
    word_read = uint(CFG.beat_bits)
    write_word, write_exponent, row_ends = bit(), bit(), bit()

    word_ram = ram(clk, write_word, word_address, s_boot.data, address, word_read, DEPTH=DEPTH)
    exponent_ram = ram(clk, write_exponent, write_token, exponent_data, token, exponent_read, DEPTH=CFG.max_vocab)

    @always_comb
    def accept():
        s_boot.ready.next = True
        write_exponent.next = s_boot.valid and beat == 0
        write_word.next = s_boot.valid and beat != 0
        row_ends.next = beat == dim_beats
        exponent_data.next = s_boot.data[EXP_BITS:]

    @always(clk.posedge)
    def place():
        if rst:
            word_address.next = 0
            write_token.next = 0
            beat.next = 0
        elif s_boot.valid and s_boot.last:
            word_address.next = 0
            write_token.next = 0
            beat.next = 0
        elif s_boot.valid:
            if row_ends:
                beat.next = 0
                write_token.next = write_token + 1
            else:
                beat.next = beat + 1
            if beat != 0:
                word_address.next = word_address + 1

    @always(clk.posedge)
    def read():
        word.next = word_read
        exponent.next = exponent_read.signed()

    return word_ram, exponent_ram, accept, place, read
