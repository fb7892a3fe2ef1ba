"""The whole serial link: the line on one side, the decoder's ports on the other."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.board.beats import beats
from llama2_myhdl.rtl.board.commands import commands
from llama2_myhdl.rtl.board.event import BODY_BITS, event_stream, pack_body
from llama2_myhdl.rtl.board.flash_player import flash_player
from llama2_myhdl.rtl.board.frame_store import frame_store, frame_stream
from llama2_myhdl.rtl.board.inquiry import CODE_BITS, inquiry
from llama2_myhdl.rtl.board.merge import merge
from llama2_myhdl.rtl.board.seal import seal
from llama2_myhdl.rtl.board.spell import spell
from llama2_myhdl.rtl.board.stuff import stuff
from llama2_myhdl.rtl.board.uart_rx import uart_rx
from llama2_myhdl.rtl.board.uart_tx import uart_tx
from llama2_myhdl.rtl.board.unstuff import part_stream, unstuff
from llama2_myhdl.rtl.board.watch import state_stream, watch
from llama2_myhdl.rtl.decode.decode_loop import prompt_stream, token_stream
from llama2_myhdl.rtl.decoder import stations
from llama2_myhdl.rtl.stream.connect import connect
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.counters import COUNTER_BITS, SELECT_BITS
from llama2_myhdl.spec.errors import ERROR_BITS
from llama2_myhdl.spec.link import STATUS, TOKEN, on_board


@hblock
def link(
    clk,
    rst,
    rxd,
    txd,
    cs_n,
    sck,
    mosi,
    miso,
    m_boot,
    m_prompt,
    s_token,
    restart,
    clear,
    loaded,
    error,
    cycles,
    counter_station,
    counter_select,
    counter_value,
    loading,
    received,
    damaged,
    sent,
    CFG,
    CLOCKS,
    BITS,
    DIGEST=0,
):
    """rxd, txd: the line, in and out; cs_n .. miso: a flash, see `flash_player`. m_boot, m_prompt, s_token, clear ..
    counter_value: the decoder's ports.

        flash_player ─┐
        rxd ─> uart_rx ┴─> unstuff ─> frame_store ─> commands ─┬─ beats ─> m_boot
                                                         │     └─> m_prompt
                                                         └──── answers ──┐
        txd <─ uart_tx <─ stuff <─ seal <─ spell <──── merge <─ tokens, watch

    restart: out, resets the decoder. loading: out, see `commands`; received, damaged, sent: out, pulses, a byte came, a
    damaged frame, a byte goes. CLOCKS, BITS: cycles a bit, see `bit_clock`. DIGEST: see `commands`.
    What comes in is taken as fast as the line gives it; what goes out waits, and so do the sequences that say it. With
    the first byte from the line the flash is silent.
    """
    received_bytes, played, line_in, line_out = [Stream(data=uint(8)) for _ in range(4)]
    parts, frames = part_stream(), frame_stream()
    image, spelt, sealed = [Stream(data=uint(8), last=bit()) for _ in range(3)]
    answers, tokens, states, news, events = [event_stream() for _ in range(5)]
    state = state_stream()
    token_body, state_body = [uint(BODY_BITS) for _ in range(2)]
    select, station, value = uint(CODE_BITS), uint(CODE_BITS), uint(COUNTER_BITS)
    forget, attended = bit(), bit()

    uart_rx_ = uart_rx(clk, rst, rxd, received_bytes, CLOCKS=CLOCKS, BITS=BITS)
    flash_player_ = flash_player(clk, rst, attended, played, cs_n=cs_n, sck=sck, mosi=mosi, miso=miso)
    merge_line = merge(clk, rst, received_bytes, played, line_in)
    unstuff_ = unstuff(clk, rst, line_in, parts)
    frame_store_ = frame_store(clk, rst, parts, frames)
    commands_ = commands(
        clk,
        rst,
        s=frames,
        m_image=image,
        m_prompt=m_prompt,
        m_answer=answers,
        loaded=loaded,
        error=error,
        restart=restart,
        clear=clear,
        loading=loading,
        select=select,
        station=station,
        value=value,
        DIGEST=DIGEST,
    )
    beats_ = beats(clk, forget, image, m_boot)
    inquiry_ = inquiry(
        clk, select, station, cycles, counter_station=counter_station, counter_select=counter_select,
        counter_value=counter_value, value=value, CFG=CFG,
    )  # fmt: skip
    watch_ = watch(clk, rst, loaded, error, state)
    token_fields = pack_body(
        TOKEN, token_body, token=s_token.token, pos=s_token.pos, seq=s_token.seq, scored=s_token.scored,
        sampled=s_token.sampled, last=s_token.last, stop=s_token.stop,
    )  # fmt: skip
    state_fields = pack_body(STATUS, state_body, loaded=state.loaded, error=state.error)
    token_event = connect(s_token, tokens, kind=TOKEN, number=0, body=token_body)
    state_event = connect(state, states, kind=STATUS, number=0, body=state_body)
    merge_news = merge(clk, rst, states, tokens, news)
    merge_all = merge(clk, rst, answers, news, events)
    spell_ = spell(clk, rst, events, spelt)
    seal_ = seal(clk, rst, spelt, sealed)
    stuff_ = stuff(clk, rst, sealed, line_out)
    uart_tx_ = uart_tx(clk, rst, line_out, txd, CLOCKS=CLOCKS, BITS=BITS)

    @always_comb
    def pulses():
        forget.next = rst or restart
        received.next = received_bytes.valid and received_bytes.ready
        damaged.next = frames.valid and frames.ready and frames.bad
        sent.next = line_out.valid and line_out.ready

    @always(clk.posedge)
    def attend():
        if rst:
            attended.next = False
        elif received_bytes.valid:
            attended.next = True

    return (
        uart_rx_,
        flash_player_,
        merge_line,
        unstuff_,
        frame_store_,
        commands_,
        beats_,
        inquiry_,
        watch_,
        token_fields,
        state_fields,
        token_event,
        state_event,
        merge_news,
        merge_all,
        spell_,
        seal_,
        stuff_,
        uart_tx_,
        pulses,
        attend,
    )


def ports(build: BuildConfig, clocks: int, bits: int, digest: int = 0) -> dict:
    """Fresh ports and parameters, by name, of `on_board(build)`."""
    build = on_board(build)
    flags = {name: bit() for name in ("restart", "clear", "loaded", "loading", "received", "damaged", "sent")}
    return dict(
        clk=bit(),
        rst=bit(),
        rxd=bit(True),
        txd=bit(),
        **{name: bit() for name in ("cs_n", "sck", "mosi", "miso")},
        m_boot=Stream(data=uint(build.beat_bits), last=bit()),
        m_prompt=prompt_stream(build),
        s_token=token_stream(build),
        **flags,
        error=uint(ERROR_BITS),
        cycles=uint(COUNTER_BITS),
        counter_station=uint(clog2(stations(build))),
        counter_select=uint(SELECT_BITS),
        counter_value=uint(COUNTER_BITS),
        CFG=build,
        CLOCKS=clocks,
        BITS=bits,
        DIGEST=digest,
    )
