"""Takes the boot stream apart: registers, RoPE frequencies, payload; checks limits, length and checksum."""

from myhdl import always, always_comb, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock, tied
from llama2_myhdl.hdl.lanes import unpack
from llama2_myhdl.rtl.boot.boot_register import boot_register
from llama2_myhdl.rtl.boot.derive import derive, value_bits
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.errors import BAD_CHECKSUM, BAD_IMAGE, BAD_LENGTH, BAD_SHAPE, ERROR_BITS, NONE
from llama2_myhdl.spec.formats import PHASE_BITS
from llama2_myhdl.spec.registers import KIND, REGISTERS, WORD, register_limits, rules

READ_REGISTERS, READ_FREQUENCIES, READ_PAYLOAD, READ_CHECKSUM, DERIVE, COMPARE, JUDGE, DRAIN, DONE, FAILED = range(10)
STATE_BITS = 4


class ShapeRegisters:
    """The model's shape as Signals, one a register that the datapath reads."""

    NAMES = (
        "dim",
        "hidden_dim",
        "n_layers",
        "n_heads",
        "n_kv_heads",
        "vocab_size",
        "seq_len",
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
        "layers_low",
        "layers_extra",
        "layer_beats",
        "head_beats",
    )

    def __init__(self, build):
        limits = register_limits(build)
        for name in self.NAMES:
            setattr(self, name, uint(max(1, limits[name][1].bit_length())))

    def named(self, names) -> dict:
        """Some of the registers by name, for a block whose ports are called like them."""
        return {name: getattr(self, name) for name in names}


@hblock
def loader(clk, rst, s, m, shape, freq_we, freq_addr, freq_data, loaded, error, CFG):
    """s: Stream(data = one beat, last), a boot image as `spec/registers.py` lays it out.

    m: Stream(data, last), the payload: embedding and tapes, passed through combinationally to the daisy chain of
    memories, each of which takes its part. shape: ShapeRegisters, out; freq_*: write port of the RoPE frequency
    memories, out. loaded: out, high four cycles after the last beat of an image
    whose checksum holds. error: out, code of
    `spec/errors.py`; a bad image is read to its `last` beat and ignored. Another image needs a reset. The first fault
    counts; a register is found bad two cycles after its beat.

    One beat a cycle, but for a pause behind the registers: those that follow from them are computed (`derive`), written
    and checked as if they came next in the image.
    """
    LIMITS = register_limits(CFG)
    NAMES = (*REGISTERS, *rules(CFG))
    LOW = tuple(LIMITS[name][0] for name in NAMES)
    HIGH = tuple(LIMITS[name][1] for name in NAMES)
    LAST_READ, LAST_DERIVED = len(REGISTERS) - 1, len(NAMES) - 1
    SHAPE_STARTS = len(KIND)
    PAYLOAD_BITS = LIMITS["payload_beats"][1].bit_length()
    ADDRESS_BITS = len(freq_addr)

    state = uint(STATE_BITS)
    index = uint(max(len(freq_addr), LAST_DERIVED.bit_length()))  # register or frequency number
    payload_beats = uint(PAYLOAD_BITS)
    count = uint(PAYLOAD_BITS)
    ending = bit()  # the next beat of the payload is its last one
    word = uint(WORD)
    low = uint(WORD)
    high = uint(WORD)
    held = uint(WORD)  # the register value whose limits are being checked, and the checksum that came
    checking = bit()
    kind_check, kind_outside = bit(), bit()  # the value checked, found outside tells the image's kind, not its shape
    outside = bit()  # the value checked in the cycle before is beyond its limits
    fold = uint(WORD)
    folded = bit()  # `fold` is to be taken into the checksum
    total = uint(WORD)
    agree = bit()  # the checksum that came is the one computed
    take, write, start, give = [bit() for _ in range(4)]
    derived = uint(value_bits(CFG))
    words = [uint(WORD) for _ in range(len(s.data) // WORD)]
    splitting = unpack(s.data, words)
    COUNT = len(words)
    numbers = {name: tied(uint(len(index), k)) for k, name in enumerate(NAMES)}
    shape_register = [
        boot_register(clk, write, index, word, getattr(shape, name), numbers[name]) for name in ShapeRegisters.NAMES
    ]
    payload_register = boot_register(clk, write, index, word, payload_beats, numbers["payload_beats"])
    derive_ = derive(
        clk, rst, we=write, number=index, word=word, start=start, give=give, value=derived, CFG=CFG
    )

    @always_comb
    def handshake():
        take.next = s.valid and s.ready
        write.next = (s.valid and state == READ_REGISTERS) or (give and state == DERIVE)
        start.next = s.valid and state == READ_REGISTERS and index == LAST_READ
        m.valid.next = s.valid and state == READ_PAYLOAD

    @always_comb
    def ready():
        if state == READ_PAYLOAD:
            s.ready.next = m.ready
        else:
            s.ready.next = state <= READ_CHECKSUM or state == DRAIN

    @always_comb
    def source():
        if state == DERIVE:
            word.next = derived
        else:
            word.next = words[0]

    @always_comb
    def payload():
        m.data.next = s.data
        m.last.next = ending

    @always_comb
    def frequencies():
        freq_we.next = s.valid and state == READ_FREQUENCIES
        freq_addr.next = index[ADDRESS_BITS:]
        freq_data.next = words[0]

    @always(clk.posedge)
    def lower_limit():
        held.next = word
        kind_check.next = index < SHAPE_STARTS
        if write:
            low.next = LOW[index]

    @always(clk.posedge)
    def upper_limit():
        if write:
            high.next = HIGH[index]

    @always(clk.posedge)
    def sums():
        x = intbv(0)[WORD:]
        x[:] = 0
        for k in range(COUNT):
            x[:] = x ^ words[k]
        fold.next = x
        agree.next = held == total
        if rst:
            total.next = 0
        elif folded:
            total.next = concat(total[WORD - 1 :], total[WORD - 1]) ^ fold

    @always(clk.posedge)
    def control():
        if rst:
            state.next = READ_REGISTERS
            error.next = NONE
            loaded.next = False
            index.next = 0
            count.next = 0
            checking.next = False
            outside.next = False
            folded.next = False
        else:
            loaded.next = state == DONE
            checking.next = write
            outside.next = checking and (held < low or held > high)
            kind_outside.next = kind_check
            folded.next = take and state != READ_CHECKSUM
            if outside and state != DRAIN and state != FAILED:
                state.next = DRAIN
                if kind_outside:
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
                if index == LAST_READ:
                    state.next = DERIVE
            elif state == DERIVE and give:
                index.next = index + 1
                if index == LAST_DERIVED:
                    state.next = READ_FREQUENCIES
                    index.next = 0
            elif take and state == READ_FREQUENCIES:
                index.next = index + 1
                ending.next = payload_beats == 1
                if index == shape.pairs - 1:
                    state.next = READ_PAYLOAD
            elif take and state == READ_PAYLOAD:
                count.next = count + 1
                ending.next = count == payload_beats - 2
                if ending:
                    state.next = READ_CHECKSUM
            elif take and state == READ_CHECKSUM:
                state.next = DRAIN
                error.next = BAD_LENGTH
            elif state == COMPARE:
                state.next = JUDGE
            elif state == JUDGE:
                if agree:
                    state.next = DONE
                else:
                    state.next = FAILED
                    error.next = BAD_CHECKSUM

    return (
        splitting,
        shape_register,
        payload_register,
        derive_,
        handshake,
        ready,
        source,
        payload,
        frequencies,
        lower_limit,
        upper_limit,
        sums,
        control,
    )


def ports(build: BuildConfig) -> dict:
    """Fresh ports and parameters, by name."""
    return dict(
        clk=bit(),
        rst=bit(),
        s=Stream(data=uint(build.beat_bits), last=bit()),
        m=Stream(data=uint(build.beat_bits), last=bit()),
        shape=ShapeRegisters(build),
        freq_we=bit(),
        freq_addr=uint(clog2(build.max_head_dim // 2)),
        freq_data=uint(PHASE_BITS),
        loaded=bit(),
        error=uint(ERROR_BITS),
        CFG=build,
    )
