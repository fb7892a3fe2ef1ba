"""Takes the boot stream apart: registers, RoPE frequencies, embedding, tape; checks limits, length and checksum."""

from myhdl import always, always_comb, concat, intbv

from rtl.boot.registers import REGISTERS, WORD, register_limits
from rtl.errors import BAD_CHECKSUM, BAD_IMAGE, BAD_LENGTH, BAD_SHAPE, NONE
from rtl.hdl.hierarchy import hblock
from rtl.hdl.lanes import unpack
from rtl.stream.stream import bit, uint

READ_REGISTERS, READ_FREQUENCIES, READ_EMBEDDING, READ_TAPE, READ_CHECKSUM, COMPARE, DRAIN, DONE, FAILED = range(9)
STATE_BITS = 4


class ShapeRegisters:
    """The model's shape as Signals, one a register of the boot image that the datapath reads."""

    NAMES = REGISTERS[REGISTERS.index("dim") : REGISTERS.index("tape_beats")]

    def __init__(self, build):
        limits = register_limits(build)
        for name in self.NAMES:
            bits = build.token_bits if name in ("stop_a", "stop_b") else limits[name][1].bit_length()
            setattr(self, name, uint(bits))


@hblock
def loader(clk, rst, s, m_embedding, m_tape, shape, freq_we, freq_addr, freq_data, loaded, error, CFG):
    """s: Stream(data = one beat, last), a boot image as `rtl/boot/registers.py` lays it out.

    m_embedding, m_tape: Stream(data, last), beats of their sections, passed through combinationally.
    shape: ShapeRegisters, out; freq_*: write port of the RoPE frequency memory, out.
    loaded: out, high once a whole image has been taken and its checksum holds. error: out, code of `rtl/errors.py`;
    a bad image is read to its `last` beat and ignored. Another image needs a reset. One beat a cycle.
    """
    LIMITS = register_limits(CFG)
    LOW = tuple(LIMITS[name][0] for name in REGISTERS)
    HIGH = tuple(LIMITS[name][1] for name in REGISTERS)
    REGISTER_COUNT = len(REGISTERS)
    DIM, HIDDEN_DIM, N_LAYERS, N_HEADS, N_KV_HEADS, VOCAB_SIZE, SEQ_LEN = (
        REGISTERS.index(n) for n in ("dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "seq_len")
    )
    HEAD_DIM, KV_DIM, KV_MUL, PAIRS, DIM_BEATS, HIDDEN_BEATS, GAIN_BEATS, EPS_TERM, STOP_A, STOP_B, TAPE_BEATS = (
        REGISTERS.index(n)
        for n in (
            "head_dim",
            "kv_dim",
            "kv_mul",
            "pairs",
            "dim_beats",
            "hidden_beats",
            "gain_beats",
            "eps_term",
            "stop_a",
            "stop_b",
            "tape_beats",
        )
    )
    ADDRESS_BITS = len(freq_addr)

    state = uint(STATE_BITS)
    index = uint(max(len(freq_addr), (REGISTER_COUNT - 1).bit_length()))  # register or frequency number
    token = uint(len(shape.vocab_size))
    beat = uint(len(shape.dim_beats))
    tape_beats = uint(HIGH[TAPE_BEATS].bit_length())
    count = uint(HIGH[TAPE_BEATS].bit_length())
    word = uint(WORD)
    low = uint(WORD)
    high = uint(WORD)
    held = uint(WORD)  # the register value whose limits are being checked, and the checksum that came
    checking = bit()
    kind_check = bit()  # the value under check tells the image's kind, not its shape
    fold = uint(WORD)
    folded = bit()  # `fold` is to be taken into the checksum
    total = uint(WORD)
    take = bit()
    words = [uint(WORD) for _ in range(len(s.data) // WORD)]
    splitting = unpack(s.data, words)
    COUNT = len(words)

    @always_comb
    def handshake():
        take.next = s.valid and s.ready
        m_embedding.valid.next = s.valid and state == READ_EMBEDDING
        m_tape.valid.next = s.valid and state == READ_TAPE

    @always_comb
    def ready():
        if state == READ_EMBEDDING:
            s.ready.next = m_embedding.ready
        elif state == READ_TAPE:
            s.ready.next = m_tape.ready
        else:
            s.ready.next = state <= READ_CHECKSUM or state == DRAIN

    @always_comb
    def payload():
        word.next = words[0]
        m_embedding.data.next = s.data
        m_embedding.last.next = token == shape.vocab_size - 1 and beat == shape.dim_beats
        m_tape.data.next = s.data
        m_tape.last.next = count == tape_beats - 1

    @always_comb
    def frequencies():
        freq_we.next = s.valid and state == READ_FREQUENCIES
        freq_addr.next = index[ADDRESS_BITS:]
        freq_data.next = words[0]

    @always_comb
    def status():
        loaded.next = state == DONE

    @always(clk.posedge)
    def registers():
        if take and state == READ_REGISTERS:
            if index == DIM:
                shape.dim.next = word[len(shape.dim) :]
            elif index == HIDDEN_DIM:
                shape.hidden_dim.next = word[len(shape.hidden_dim) :]
            elif index == N_LAYERS:
                shape.n_layers.next = word[len(shape.n_layers) :]
            elif index == N_HEADS:
                shape.n_heads.next = word[len(shape.n_heads) :]
            elif index == N_KV_HEADS:
                shape.n_kv_heads.next = word[len(shape.n_kv_heads) :]
            elif index == VOCAB_SIZE:
                shape.vocab_size.next = word[len(shape.vocab_size) :]
            elif index == SEQ_LEN:
                shape.seq_len.next = word[len(shape.seq_len) :]
            elif index == HEAD_DIM:
                shape.head_dim.next = word[len(shape.head_dim) :]
            elif index == KV_DIM:
                shape.kv_dim.next = word[len(shape.kv_dim) :]
            elif index == KV_MUL:
                shape.kv_mul.next = word[len(shape.kv_mul) :]
            elif index == PAIRS:
                shape.pairs.next = word[len(shape.pairs) :]
            elif index == DIM_BEATS:
                shape.dim_beats.next = word[len(shape.dim_beats) :]
            elif index == HIDDEN_BEATS:
                shape.hidden_beats.next = word[len(shape.hidden_beats) :]
            elif index == GAIN_BEATS:
                shape.gain_beats.next = word[len(shape.gain_beats) :]
            elif index == EPS_TERM:
                shape.eps_term.next = word[len(shape.eps_term) :]
            elif index == STOP_A:
                shape.stop_a.next = word[len(shape.stop_a) :]
            elif index == STOP_B:
                shape.stop_b.next = word[len(shape.stop_b) :]
            elif index == TAPE_BEATS:
                tape_beats.next = word[len(tape_beats) :]

    @always(clk.posedge)
    def lower_limit():
        held.next = word
        kind_check.next = index < DIM
        if state == READ_REGISTERS:
            low.next = LOW[index]

    @always(clk.posedge)
    def upper_limit():
        if state == READ_REGISTERS:
            high.next = HIGH[index]

    @always(clk.posedge)
    def sums():
        x = intbv(0)[WORD:]
        x[:] = 0
        for k in range(COUNT):
            x[:] = x ^ words[k]
        fold.next = x
        if rst:
            total.next = 0
        elif folded:
            total.next = concat(total[WORD - 1 :], total[WORD - 1]) ^ fold

    @always(clk.posedge)
    def control():
        if rst:
            state.next = READ_REGISTERS
            error.next = NONE
            index.next = 0
            token.next = 0
            beat.next = 0
            count.next = 0
            checking.next = False
            folded.next = False
        else:
            checking.next = take and state == READ_REGISTERS
            folded.next = take and state != READ_CHECKSUM
            if checking and (held < low or held > high):
                state.next = DRAIN
                if kind_check:
                    error.next = BAD_IMAGE
                else:
                    error.next = BAD_SHAPE
                if take and s.last:
                    state.next = FAILED
            elif take and s.last:
                if state == READ_CHECKSUM:
                    state.next = COMPARE
                else:
                    state.next = FAILED
                    if state != DRAIN:
                        error.next = BAD_LENGTH
            elif take and state == READ_REGISTERS:
                index.next = index + 1
                if index == REGISTER_COUNT - 1:
                    state.next = READ_FREQUENCIES
                    index.next = 0
            elif take and state == READ_FREQUENCIES:
                index.next = index + 1
                if index == shape.pairs - 1:
                    state.next = READ_EMBEDDING
            elif take and state == READ_EMBEDDING:
                beat.next = beat + 1
                if beat == shape.dim_beats:
                    beat.next = 0
                    token.next = token + 1
                    if token == shape.vocab_size - 1:
                        state.next = READ_TAPE
            elif take and state == READ_TAPE:
                count.next = count + 1
                if count == tape_beats - 1:
                    state.next = READ_CHECKSUM
            elif take and state == READ_CHECKSUM:
                state.next = DRAIN
                error.next = BAD_LENGTH
            elif state == COMPARE and not folded:
                if held == total:
                    state.next = DONE
                else:
                    state.next = FAILED
                    error.next = BAD_CHECKSUM

    return (
        splitting,
        handshake,
        ready,
        payload,
        frequencies,
        status,
        registers,
        lower_limit,
        upper_limit,
        sums,
        control,
    )
