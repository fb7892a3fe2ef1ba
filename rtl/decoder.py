"""The top: boot stream and prompt in, tokens out, the decode loop inside.

s_boot -> loader -> shape registers, RoPE frequencies, embedding table, weight tape
s_prompt -> decode loop -> embed station -> engine -> prediction -> decode loop -> m_token
"""

from myhdl import always_comb

from rtl.boot.loader import ShapeRegisters, loader
from rtl.config import PHASE_BITS, BuildConfig, ConfigError, clog2
from rtl.decode.counters import COUNTER_BITS, counters
from rtl.decode.decode_loop import decode_loop, prompt_stream, token_stream
from rtl.embedding.station import embed_station
from rtl.errors import ERROR_BITS, NONE
from rtl.hdl.hierarchy import hblock
from rtl.layer.engine import SATURATION_SOURCES, engine
from rtl.layer.packet import packet, prediction, token_request
from rtl.layer.program import tape_depth
from rtl.memory.tape import tape
from rtl.stream.skid import skid
from rtl.stream.stream import Stream, bit, uint


@hblock
def decoder(
    clk, rst, s_boot, s_prompt, m_token, clear, loaded, error, cycles, mac_beats, attention_cycles, saturations, CFG
):
    """s_boot: Stream(data = one beat, last), see `rtl/boot/registers.py`; a new image needs a reset.

    s_prompt: `prompt_stream`; m_token: `token_stream`, one beat a position. Prompts wait until a model is loaded.
    loaded: out, the image is in and its checksum holds; error: out, sticky code of `rtl/errors.py` (a bad image's until
    reset, a bad prompt's until `clear`). cycles .. saturations: out, counters since reset, running while loaded.
    """
    if CFG.key_bits != CFG.act_bits:
        raise ConfigError(f"key_bits: must be act_bits = {CFG.act_bits} (one head quantiser), is {CFG.key_bits}")
    shape = ShapeRegisters(CFG)
    freq_we, freq_addr, freq_data = bit(), uint(clog2(CFG.max_head_dim // 2)), uint(PHASE_BITS)
    boot_embedding = Stream(data=uint(CFG.beat_bits), last=bit())
    boot_tape = boot_embedding.clone()
    beats = Stream(data=uint(CFG.beat_bits))
    request = token_request(CFG)
    embedded, entering = packet(CFG), packet(CFG)
    predicted = prediction(CFG)
    boot_error, loop_error = uint(ERROR_BITS), uint(ERROR_BITS)
    mac_beat, attention_busy, saturated = bit(), bit(), uint(SATURATION_SOURCES)

    boot = loader(
        clk, rst, s_boot, boot_embedding, boot_tape, shape, freq_we, freq_addr, freq_data, loaded, boot_error, CFG=CFG
    )
    weights = tape(clk, rst, boot_tape, beats, DEPTH=tape_depth(CFG))
    control = decode_loop(
        clk,
        rst,
        loaded,
        clear,
        s_prompt,
        request,
        predicted,
        m_token,
        shape.vocab_size,
        shape.seq_len,
        shape.stop_a,
        shape.stop_b,
        loop_error,
    )
    embedder = embed_station(clk, rst, boot_embedding, request, embedded, shape.dim, shape.dim_beats, CFG=CFG)
    entrance = skid(clk, rst, embedded, entering)
    layers = engine(
        clk,
        rst,
        entering,
        beats,
        predicted,
        shape,
        freq_we,
        freq_addr,
        freq_data,
        mac_beat,
        attention_busy,
        saturated,
        CFG=CFG,
    )
    counts = counters(
        clk, rst, loaded, mac_beat, attention_busy, saturated, cycles, mac_beats, attention_cycles, saturations
    )

    @always_comb
    def errors():
        if boot_error != NONE:
            error.next = boot_error
        else:
            error.next = loop_error

    return boot, weights, control, embedder, entrance, layers, counts, errors


def ports(build: BuildConfig) -> dict:
    """Fresh top-level ports and the CFG parameter: `decoder(**ports(build))`."""
    return dict(
        clk=bit(),
        rst=bit(),
        s_boot=Stream(data=uint(build.beat_bits), last=bit()),
        s_prompt=prompt_stream(build),
        m_token=token_stream(build),
        clear=bit(),
        loaded=bit(),
        error=uint(ERROR_BITS),
        cycles=uint(COUNTER_BITS),
        mac_beats=uint(COUNTER_BITS),
        attention_cycles=uint(COUNTER_BITS),
        saturations=uint(COUNTER_BITS),
        CFG=build,
    )
