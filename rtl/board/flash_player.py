"""Plays a recording from an SPI flash into the serial link, once, behind a reset."""

from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.recording import LENGTH_BYTES, MAGIC, PLACE

WAKE, COMMAND, HEADER, PLAY, REST = range(5)
STATE_BITS = 3
READ = 0x03  # the flash's command, of 8 bits, with an address of 24
COMMAND_BITS, LENGTH_BITS = 32, 8 * LENGTH_BYTES
HALF_BITS = 2  # a clock's half lasts 2**HALF_BITS cycles
BYTE_CYCLES = 16 << HALF_BITS


@hblock
def flash_player(clk, rst, stop, m, cs_n, sck, mosi, miso, START=PLACE):
    """m: Stream(data), the bytes of the line that `spec/recording.py` has at START; none without its MAGIC there.

    cs_n, sck, mosi, miso: the flash, SPI mode 0; out but for miso. stop: in, be still from now on.
    A byte every BYTE_CYCLES, so slow that the board's answers keep up, or slower when m does. The flash's clock runs
    for 32 periods ahead of its first command: an ECP5 loses the first ones after its configuration.
    """
    STARTED = READ << 24 | START
    EXPECTED = tuple(MAGIC)
    LAST_MAGIC, LAST_HEADER = len(MAGIC) - 1, len(MAGIC) + LENGTH_BYTES - 1
    state = uint(STATE_BITS)
    step = uint(HALF_BITS)
    count = uint(COMMAND_BITS.bit_length() - 1)  # of bits, of a command or of a byte
    place = uint(LAST_HEADER.bit_length())  # of a byte in the header
    order = uint(COMMAND_BITS)
    taken, expected = uint(8), uint(8)
    left = uint(LENGTH_BITS)
    moves, whole, falls = bit(), bit(), bit()
    LAST_BIT = COMMAND_BITS - 1

    @always_comb
    def show():
        mosi.next = order[LAST_BIT]
        moves.next = step == 0 and state != REST and (m.ready or not m.valid)
        falls.next = step == 0 and state != REST and (m.ready or not m.valid) and sck
        whole.next = count[3:] == 7

    @always(clk.posedge)
    def look_up():
        expected.next = EXPECTED[place[2:]]

    @always(clk.posedge)
    def control():
        if rst:
            state.next = WAKE
            cs_n.next = True
            sck.next = False
            count.next = 0
            place.next = 0
            m.valid.next = False
        else:
            if m.ready:
                m.valid.next = False
            if stop:
                state.next = REST
                cs_n.next = True
                sck.next = False
            elif moves:
                sck.next = not sck
                if sck:
                    count.next = count + 1
                    if state == WAKE:
                        if count == LAST_BIT:
                            count.next = 0
                            state.next = COMMAND
                            cs_n.next = False
                    elif state == COMMAND:
                        if count == LAST_BIT:
                            count.next = 0
                            state.next = HEADER
                    elif whole:
                        count.next = 0
                        if state == HEADER:
                            place.next = place + 1
                            if place <= LAST_MAGIC and taken != expected:
                                state.next = REST
                                cs_n.next = True
                            elif place == LAST_HEADER:
                                state.next = PLAY
                                place.next = 0
                        else:
                            m.valid.next = True
                            if left == 1:
                                state.next = REST
                                cs_n.next = True

    @always(clk.posedge)
    def shift():
        if rst:
            step.next = 0
            order.next = STARTED
        else:
            if step != 0 or moves:
                step.next = step + 1
            if moves and not sck:
                taken.next = concat(taken[7:], miso)
            if falls and state == COMMAND:
                order.next = order << 1
            if falls and whole:
                if state == HEADER:
                    left.next = concat(taken, left[LENGTH_BITS:8])
                elif state == PLAY:
                    left.next = left - 1
                    m.data.next = taken

    return show, look_up, control, shift


def ports(start=PLACE):
    """Fresh ports and parameters, by name."""
    pins = dict(cs_n=bit(), sck=bit(), mosi=bit(), miso=bit())
    return dict(clk=bit(), rst=bit(), stop=bit(), m=Stream(data=uint(8)), **pins, START=start)
