"""The top: boot stream and prompts in, tokens out, the decode loop inside.

s_boot -> loader -> shape registers, RoPE frequencies; payload -> embedding -> tapes, one memory after the other
s_prompt -> decode loop -> embed station -> engine 0 .. E-1 -> head -> prediction -> decode loop -> m_token

With one engine the head shares its MAC array; with more it is a station of its own.
"""

from copy import copy

from myhdl import always, always_comb, intbv

from llama2_myhdl.hdl.hierarchy import hblock, tied, unused
from llama2_myhdl.hdl.lanes import pack
from llama2_myhdl.rtl.boot.loader import ShapeRegisters, loader
from llama2_myhdl.rtl.decode.counters import cycle_counter
from llama2_myhdl.rtl.decode.decode_loop import decode_loop, prompt_stream, token_stream
from llama2_myhdl.rtl.embedding.station import embed_station
from llama2_myhdl.rtl.layer.engine import engine
from llama2_myhdl.rtl.layer.packet import packet, prediction, token_request
from llama2_myhdl.rtl.layer.share import share
from llama2_myhdl.rtl.logits.head import head
from llama2_myhdl.rtl.stream.skid import skid
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.counters import COUNTER_BITS, COUNTERS
from llama2_myhdl.spec.errors import ERROR_BITS, NONE
from llama2_myhdl.spec.formats import PHASE_BITS


def stations(build: BuildConfig) -> int:
    """Units with counters: the engines, and the head where it is a station of its own."""
    return build.engines if build.engines == 1 else build.engines + 1


@hblock
def decoder(
    clk,
    rst,
    s_boot,
    s_prompt,
    m_token,
    clear,
    loaded,
    error,
    cycles,
    counter_station,
    counter_select,
    counter_value,
    CFG,
):
    """s_boot: Stream(data = one beat, last), see `spec/registers.py`; a new image needs a reset.

    s_prompt: `prompt_stream` (of a build for one sequence, `seq` is not looked at); m_token: `token_stream`, one beat a
    position. Prompts wait until a model is loaded.
    loaded: out, the image is in and its checksum holds; error: out, sticky code of `spec/errors.py` (a bad image's
    until reset, a bad prompt's until `clear`). cycles: out, since the image was loaded. counter_value: out, two cycles
    later, counter `counter_select` (`rtl/decode/counters.py`) of engine `counter_station` (CFG.engines: of the head's
    own station); they run as `cycles` does.
    """
    ENGINES, STATIONS = CFG.engines, stations(CFG)
    ALONE = ENGINES == 1
    LAYER_BITS = CFG.engine.max_layers.bit_length()
    shape = ShapeRegisters(CFG)
    freq_we, freq_addr, freq_data = bit(), uint(clog2(CFG.max_head_dim // 2)), uint(PHASE_BITS)
    beat = Stream(data=uint(CFG.beat_bits), last=bit())
    payload, boot_rest = beat.clone(), beat.clone()
    # hop k: what enters station k; the last one is what leaves the engines
    boot_in, boot_out = [beat.clone() for _ in range(STATIONS)], [beat.clone() for _ in range(STATIONS)]
    leaving, entering = [packet(CFG) for _ in range(STATIONS)], [packet(CFG) for _ in range(STATIONS)]
    chain_end = boot_out[STATIONS - 1]  # no beat gets here
    chain_end.ready = tied(bit(True))
    unused(chain_end.data, chain_end.last, chain_end.valid)
    shares = [uint(LAYER_BITS) for _ in range(ENGINES)]
    request, predicted = token_request(CFG), prediction(CFG)
    boot_error, loop_error = uint(ERROR_BITS), uint(ERROR_BITS)
    values = [uint(COUNTER_BITS) for _ in range(STATIONS)]
    values_bus = uint(STATIONS * COUNTER_BITS)

    prompts = copy(s_prompt)
    if CFG.sequences == 1:
        prompts.seq = tied(uint(CFG.seq_bits))
        unused(s_prompt.seq)

    boot = loader(clk, rst, s_boot, payload, shape, freq_we, freq_addr, freq_data, loaded, boot_error, CFG=CFG)
    control = decode_loop(
        clk,
        rst,
        loaded,
        clear,
        prompts,
        request,
        predicted,
        m_token,
        shape.vocab_size,
        shape.seq_len,
        shape.stop_a,
        shape.stop_b,
        loop_error,
        SEQUENCES=CFG.sequences,
    )
    embedder = embed_station(
        clk, rst, payload, boot_rest, request, leaving[0], shape.dim, shape.dim_beats, shape.vocab_size, CFG=CFG
    )
    boot_hops = [skid(clk, rst, boot_rest if k == 0 else boot_out[k - 1], boot_in[k]) for k in range(STATIONS)]
    hops = [skid(clk, rst, leaving[k], entering[k]) for k in range(STATIONS)]
    splits = [
        share(clk, shape.layers_low, shape.layers_extra, shares[k], INDEX=k) for k in range(ENGINES)
    ]
    layers = [
        engine(
            clk,
            rst,
            entering[k],
            boot_in[k],
            boot_out[k],
            predicted if ALONE else leaving[k + 1],
            shares[k],
            shape,
            freq_we,
            freq_addr,
            freq_data,
            loaded,
            counter_select,
            values[k],
            CFG=CFG.engine,
            HEAD=ALONE,
        )
        for k in range(ENGINES)
    ]
    last = [] if ALONE else head(
        clk,
        rst,
        entering[ENGINES],
        boot_in[ENGINES],
        boot_out[ENGINES],
        predicted,
        shape,
        loaded,
        counter_select,
        values[ENGINES],
        CFG=CFG.engine,
    )
    clock = cycle_counter(clk, rst, loaded, cycles)
    packing = pack(values, values_bus)

    @always_comb
    def errors():
        if boot_error != NONE:
            error.next = boot_error
        else:
            error.next = loop_error

    @always(clk.posedge)
    def report():
        found = intbv(0)[STATIONS * COUNTER_BITS :]
        found[:] = values_bus
        for k in range(STATIONS):
            if counter_station == k:
                found[:] = values_bus >> (k * COUNTER_BITS)
        counter_value.next = found[COUNTER_BITS:]

    return (
        boot,
        control,
        embedder,
        boot_hops,
        hops,
        splits,
        layers,
        last,
        clock,
        packing,
        errors,
        report,
    )


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
        counter_station=uint(clog2(stations(build))),
        counter_select=uint(clog2(len(COUNTERS))),
        counter_value=uint(COUNTER_BITS),
        CFG=build,
    )
