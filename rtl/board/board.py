"""The top of a board: the decoder, the serial link and the lights, all of one clock.

PLL, pins and the reset's synchroniser stand around it, in Verilog of the board's own (`syn/ulx3s/`).
"""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.board import leds as lights
from llama2_myhdl.rtl.board.bit_clock import ratio
from llama2_myhdl.rtl.board.leds import leds
from llama2_myhdl.rtl.board.link import link
from llama2_myhdl.rtl.decode.decode_loop import prompt_stream, token_stream
from llama2_myhdl.rtl.decoder import decoder, stations
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.counters import COUNTER_BITS, SELECT_BITS
from llama2_myhdl.spec.errors import ERROR_BITS
from llama2_myhdl.spec.link import on_board

CLOCK_HZ, BAUD = 80_000_000, 3_000_000


@hblock
def board(clk, rst, rxd, txd, cs_n, sck, mosi, miso, led, CFG, CLOCKS, BITS, DIGEST=0, HOLD=lights.HOLD_BITS):
    """rxd, txd: the serial line, in and out; cs_n, sck, mosi, miso: an SPI flash with a recording, or without one, see
    `flash_player`; led: out, see `leds`. rst: in, of everything, high for a cycle or more.

    CFG: the decoder's build; CLOCKS, BITS: cycles a bit, see `bit_clock`; DIGEST: of the build, see `commands`.
    """
    boot = Stream(data=uint(CFG.beat_bits), last=bit())
    prompt, token = prompt_stream(CFG), token_stream(CFG)
    restart, clear, loaded = bit(), bit(), bit()
    decoder_rst = bit(True)
    error, failed = uint(ERROR_BITS), bit()
    cycles, counter_value = uint(COUNTER_BITS), uint(COUNTER_BITS)
    counter_station, counter_select = uint(clog2(stations(CFG))), uint(SELECT_BITS)
    loading, received, damaged, sent, told = [bit() for _ in range(5)]

    decoder_ = decoder(
        clk,
        decoder_rst,
        s_boot=boot,
        s_prompt=prompt,
        m_token=token,
        clear=clear,
        loaded=loaded,
        error=error,
        cycles=cycles,
        counter_station=counter_station,
        counter_select=counter_select,
        counter_value=counter_value,
        CFG=CFG,
    )
    link_ = link(
        clk,
        rst,
        rxd=rxd,
        txd=txd,
        cs_n=cs_n,
        sck=sck,
        mosi=mosi,
        miso=miso,
        m_boot=boot,
        m_prompt=prompt,
        s_token=token,
        restart=restart,
        clear=clear,
        loaded=loaded,
        error=error,
        cycles=cycles,
        counter_station=counter_station,
        counter_select=counter_select,
        counter_value=counter_value,
        loading=loading,
        received=received,
        damaged=damaged,
        sent=sent,
        CFG=CFG,
        CLOCKS=CLOCKS,
        BITS=BITS,
        DIGEST=DIGEST,
    )
    leds_ = leds(
        clk, rst, loading, loaded, token=told, received=received, sent=sent, damaged=damaged, failed=failed, led=led,
        HOLD=HOLD,
    )  # fmt: skip

    @always_comb
    def flags():
        told.next = token.valid and token.ready
        failed.next = error != 0

    @always(clk.posedge)
    def reset():
        decoder_rst.next = rst or restart

    return decoder_, link_, leds_, flags, reset


def ports(
    build: BuildConfig, clock_hz: int = CLOCK_HZ, baud: int = BAUD, digest: int = 0, hold: int = lights.HOLD_BITS
) -> dict:
    """Fresh ports and parameters, by name, of `on_board(build)`; ValueError when the clock is too slow for the line."""
    clocks, bits = ratio(clock_hz, baud)
    return dict(
        clk=bit(),
        rst=bit(),
        rxd=bit(True),
        txd=bit(),
        **{name: bit() for name in ("cs_n", "sck", "mosi", "miso")},
        led=uint(len(lights.LIGHTS)),
        CFG=on_board(build),
        CLOCKS=clocks,
        BITS=bits,
        DIGEST=digest,
        HOLD=hold,
    )
