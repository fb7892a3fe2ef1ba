"""Memory of the embedding: int8 rows and their exponents, filled by the boot stream."""
from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.memory import banked_ram as memory
from llama2_myhdl.rtl.memory.banked_ram import banked_ram
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import clog2


def words(CFG):
    """Words of the rows."""
    return CFG.max_vocab * CFG.dim_beats


def read_latency(CFG):
    """Cycles from address to word; a token's exponent is there earlier, as its address takes longer to compute."""
    return memory.latency(words(CFG), CFG.beat_bits)


@hblock
def embedding_rows(clk, rst, s_boot, dim_beats, address, word, token, exponent, CFG):
    """Two memories.

    s_boot: Stream(data=uint(CFG.beat_bits), last=bit()): for each token one beat with the exponent (byte 0, signed),
    then `dim_beats` beats of the row; from token 0 on, and from token 0 again after `last`. Always ready.
    address: in, token * dim_beats + beat; word: out, that beat of the row.
    token: in; exponent: out, sint(CFG.exp_bits). Do not read before the boot stream has ended.
    Holds max_vocab rows of CFG.dim_beats beats.
    """
    EXP_BITS = CFG.exp_bits

    word_address = Signal(modbv(0)[len(address):])
    write_token = Signal(modbv(0)[clog2(CFG.max_vocab):])
    beat = uint(len(dim_beats))
    exponent_data, exponent_read = uint(EXP_BITS), uint(EXP_BITS)
    write_word, write_exponent, row_ends = bit(), bit(), bit()

    word_ram = banked_ram(clk, write_word, word_address, s_boot.data, address, word, DEPTH=words(CFG))
    exponent_ram = banked_ram(
        clk, write_exponent, write_token, exponent_data, token, exponent_read, DEPTH=CFG.max_vocab
    )

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

    @always_comb
    def read():
        exponent.next = exponent_read.signed()

    return word_ram, exponent_ram, accept, place, read
