"""The top: boot stream and prompts in, tokens out, the decode loop inside.

s_boot -> loader -> shape registers, RoPE frequencies; payload -> embedding -> tapes, one memory after the other
s_prompt -> decode loop -> embed station -> engine 0 .. E-1 -> head -> prediction -> decode loop -> m_token

With one engine the head shares its MAC array; with more it is a station of its own. A station's tapes stand beside it.
"""

from copy import copy

from myhdl import always, always_comb, intbv

from llama2_myhdl.hdl.hierarchy import hblock, tied, unused
from llama2_myhdl.hdl.lanes import pack
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.attention.attention import memory_ports
from llama2_myhdl.rtl.axi.bus_state import bus_state
from llama2_myhdl.rtl.axi.bus_tapes import bus_ports, bus_tapes
from llama2_myhdl.rtl.boot.loader import ShapeRegisters, loader
from llama2_myhdl.rtl.decode import decode_loop as looping
from llama2_myhdl.rtl.decode.counters import cycle_counter
from llama2_myhdl.rtl.decode.decode_loop import decode_loop, prompt_stream, token_stream
from llama2_myhdl.rtl.decode.orders import Order, in_flight
from llama2_myhdl.rtl.embedding import bus_embedding as embedding_at_bus
from llama2_myhdl.rtl.embedding import embed_station as looking_up
from llama2_myhdl.rtl.embedding.embed_station import embed_station
from llama2_myhdl.rtl.layer.engine import engine
from llama2_myhdl.rtl.layer.packet import packet, prediction, token_request
from llama2_myhdl.rtl.layer.share import share
from llama2_myhdl.rtl.logits.head import head
from llama2_myhdl.rtl.matvec.streams import beat_stream
from llama2_myhdl.rtl.memory.tapes import tapes
from llama2_myhdl.rtl.stream.skid import skid
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.cache import cache_count
from llama2_myhdl.spec.config import BuildConfig, ConfigError, clog2
from llama2_myhdl.spec.counters import COUNTER_BITS, COUNTERS
from llama2_myhdl.spec.errors import BUS_ERROR_BITS, ERROR_BITS, NONE
from llama2_myhdl.spec.formats import PHASE_BITS

BUS_PORTS = dict(tape_base="base", m_axi="m_axi")  # names here, and of a station's


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
    tape_base=None,
    m_axi=None,
    cache_base=None,
    m_axi_cache=None,
    embedding_base=None,
    m_axi_embedding=None,
    reading=None,
):
    """s_boot: Stream(data = one beat, last), see `spec/registers.py`; a new image needs a reset.

    s_prompt: `prompt_stream` (of a build for one sequence, `seq` is not looked at); m_token: `token_stream`, one beat a
    position. Prompts wait until a model is loaded.
    loaded: out, the image is in and its checksum holds; error: out, sticky code of `spec/errors.py` (a bad image's
    until reset, a bad prompt's until `clear`). cycles: out, since the image was loaded. counter_value: out, two cycles
    later, counter `counter_select` (`rtl/decode/counters.py`) of engine `counter_station` (CFG.engines: of the head's
    own station); they run as `cycles` does.
    """
    # tape_base, m_axi, cache_base, m_axi_cache, embedding_base, m_axi_embedding, reading: as `ports` says
    ENGINES, STATIONS = CFG.engines, stations(CFG)
    for what, bus, port in (
        ("weights", CFG.weights, m_axi),
        ("caches", CFG.cache, m_axi_cache),
        ("embedding", CFG.embedding, m_axi_embedding),
    ):
        if (bus is None) != (port is None):
            raise ConfigError(f"decoder: a build with {what} {'in memory' if bus else 'on the chip'} has other ports")
    HOPS = 0 if CFG.weights else STATIONS
    ALONE = ENGINES == 1
    LAYER_BITS = CFG.engine.max_layers.bit_length()
    shape = ShapeRegisters(CFG)
    freq_we, freq_addr, freq_data = bit(), uint(clog2(CFG.max_head_dim // 2)), uint(PHASE_BITS)
    beat = Stream(data=uint(CFG.beat_bits), last=bit())
    payload, boot_rest = beat.clone(), beat.clone()
    # hop k: what enters station k and its tapes
    boot_in, boot_out = [beat.clone() for _ in range(HOPS)], [beat.clone() for _ in range(HOPS)]
    leaving, entering = [packet(CFG) for _ in range(STATIONS)], [packet(CFG) for _ in range(STATIONS)]
    chain_end = boot_out[STATIONS - 1] if HOPS else payload if CFG.embedding else boot_rest  # no beat gets here
    chain_end.ready = tied(bit(True))
    unused(chain_end.data, chain_end.last, chain_end.valid)
    weights, from_head = [beat_stream(CFG) for _ in range(STATIONS)], [bit() for _ in range(STATIONS)]
    shares = [uint(LAYER_BITS) for _ in range(ENGINES)]
    request, predicted = token_request(CFG), prediction(CFG)
    boot_error, loop_error = uint(ERROR_BITS), uint(ERROR_BITS)
    values = [uint(COUNTER_BITS) for _ in range(STATIONS)]
    values_bus = uint(STATIONS * COUNTER_BITS)

    bus_errors, under_way = [], []  # of each master
    caches = [memory_ports(CFG.engine) for _ in range(ENGINES)]
    for k in range(cache_count(CFG)):
        caches[k]["m_axi"], memory = m_axi_cache[k], caches[k]["memory"]
        memory.enable, memory.base = loaded, cache_base[k]
        bus_errors.append(memory.error)
        under_way.append(memory.busy)
    order = dict(order=Order(CFG)) if CFG.list_entries else {}
    own = [order if k == STATIONS - 1 else {} for k in range(STATIONS)]  # of the station with the classifier
    prompts = copy(s_prompt)
    if CFG.sequences == 1:
        prompts.seq = tied(uint(CFG.seq_bits))
        unused(s_prompt.seq)

    loader_ = loader(
        clk,
        rst,
        s=s_boot,
        m=payload,
        shape=shape,
        freq_we=freq_we,
        freq_addr=freq_addr,
        freq_data=freq_data,
        loaded=loaded,
        error=boot_error,
        CFG=CFG,
    )
    decode_loop_ = decode_loop(
        clk,
        rst,
        enable=loaded,
        clear=clear,
        s_prompt=prompts,
        m_request=request,
        s_prediction=predicted,
        m_token=m_token,
        **shape.named(looping.REGISTERS),
        error=loop_error,
        **order,
        SEQUENCES=CFG.sequences,
        ENTRIES=CFG.list_entries,
        DEPTH=in_flight(CFG),
    )
    if CFG.embedding:
        rows = dict(s_boot=None, m_boot=None, enable=loaded, base=embedding_base, m_axi=m_axi_embedding)
        rows |= dict(error=uint(BUS_ERROR_BITS), busy=bit())
        bus_errors.append(rows["error"])
        under_way.append(rows["busy"])
        boot_rest = payload
    else:
        rows = dict(s_boot=payload, m_boot=boot_rest)
    embed_station_ = embed_station(
        clk, rst, s=request, m=leaving[0], **shape.named(looking_up.REGISTERS), CFG=CFG, **rows
    )
    boot_skid = [skid(clk, rst, boot_rest if k == 0 else boot_out[k - 1], boot_in[k]) for k in range(HOPS)]
    skid_ = [skid(clk, rst, leaving[k], entering[k]) for k in range(STATIONS)]
    share_ = [share(clk, shape.layers_low, shape.layers_extra, shares[k], INDEX=k) for k in range(ENGINES)]
    tapes_ = [
        tapes(
            clk,
            rst,
            s=boot_in[k],
            m_boot=boot_out[k],
            m=weights[k],
            from_head=from_head[k],
            n_layers=shares[k] if k < ENGINES else tied(uint(LAYER_BITS)),
            layer_beats=shape.layer_beats,
            head_beats=shape.head_beats,
            CFG=CFG.engine,
            LAYERS=k < ENGINES,
            HEAD=k == STATIONS - 1,
        )
        for k in range(HOPS)
    ]
    engine_ = [
        engine(
            clk,
            rst,
            s=entering[k],
            s_tape=weights[k],
            m=predicted if ALONE else leaving[k + 1],
            from_head=from_head[k],
            n_layers=shares[k],
            shape=shape,
            freq_we=freq_we,
            freq_addr=freq_addr,
            freq_data=freq_data,
            enable=loaded,
            select=counter_select,
            value=values[k],
            **own[k],
            **caches[k],
            CFG=CFG.engine,
            HEAD=ALONE,
        )
        for k in range(ENGINES)
    ]
    head_ = [] if ALONE else head(
        clk,
        rst,
        s=entering[ENGINES],
        s_tape=weights[ENGINES],
        m=predicted,
        from_head=from_head[ENGINES],
        shape=shape,
        enable=loaded,
        select=counter_select,
        value=values[ENGINES],
        **own[ENGINES],
        CFG=CFG.engine,
    )
    cycle_counter_ = cycle_counter(clk, rst, loaded, cycles)
    packing = pack(values, values_bus)

    @always(clk.posedge)
    def report():
        found = intbv(0)[STATIONS * COUNTER_BITS :]
        found[:] = values_bus
        for k in range(STATIONS):
            if counter_station == k:
                found[:] = values_bus >> (k * COUNTER_BITS)
        counter_value.next = found[COUNTER_BITS:]

    if CFG.weights:
        tape_errors, tapes_under_way = [uint(BUS_ERROR_BITS) for _ in range(STATIONS)], [bit() for _ in range(STATIONS)]
        bus_errors, under_way = tape_errors + bus_errors, tapes_under_way + under_way
        bus_tapes_ = [
            bus_tapes(
                clk,
                rst,
                enable=loaded,
                base=tape_base[k],
                m=weights[k],
                from_head=from_head[k],
                n_layers=shares[k] if k < ENGINES else tied(uint(LAYER_BITS)),
                layer_beats=shape.layer_beats,
                head_beats=shape.head_beats,
                m_axi=m_axi[k],
                error=tape_errors[k],
                busy=tapes_under_way[k],
                CFG=CFG.engine,
                LAYERS=k < ENGINES,
                HEAD=k == STATIONS - 1,
            )
            for k in range(STATIONS)
        ]
        bus = [bus_tapes_]
    else:
        bus = []

    if bus_errors:
        bus_error = uint(BUS_ERROR_BITS)
        bus_state_ = bus_state(Series(*bus_errors), Series(*under_way), bus_error, reading)
        bus = [*bus, bus_state_]

        @always_comb
        def errors():
            if boot_error != NONE:
                error.next = boot_error
            elif bus_error != NONE:
                error.next = bus_error
            else:
                error.next = loop_error

    else:

        @always_comb
        def errors():
            if boot_error != NONE:
                error.next = boot_error
            else:
                error.next = loop_error

    return (
        loader_,
        decode_loop_,
        embed_station_,
        boot_skid,
        skid_,
        share_,
        tapes_,
        bus,
        engine_,
        head_,
        cycle_counter_,
        packing,
        errors,
        report,
    )


def ports(build: BuildConfig) -> dict:
    """Fresh top-level ports and the CFG parameter: `decoder(**ports(build))`.

    Of a build with `weights` the tapes are no part of the image but lie in memory. tape_base: in, a Series of addresses
    for each station, as `bus_tapes` has them, from reset on; m_axi: `ReadChannels`, one a station.
    Of a build with `cache` the keys and values lie there. cache_base: in, a Series of addresses, one an engine, from
    reset on; m_axi_cache: `MemoryChannels`, one an engine. Of one with `embedding` its rows: embedding_base,
    m_axi_embedding.
    reading: of any of them, out, bursts are under way, and a reset of the decoder alone waits until it is low. `error`
    has BUS_ERROR_BITS then; that of a bus stops what is behind it until reset.
    """
    at_bus = {}
    if build.weights:
        count = stations(build)
        each = [bus_ports(build.engine, k < build.engines, k == count - 1) for k in range(count)]
        at_bus = {name: Series(*(ports[port] for ports in each)) for name, port in BUS_PORTS.items()}
    if build.cache:
        at_bus["cache_base"] = Series(*(uint(build.cache.address_bits) for _ in range(build.engines)))
        at_bus["m_axi_cache"] = Series(*(memory_ports(build.engine)["m_axi"] for _ in range(build.engines)))
    if build.embedding:
        rows = embedding_at_bus.bus_ports(build)
        at_bus |= dict(embedding_base=rows["base"], m_axi_embedding=rows["m_axi"])
    if at_bus:
        at_bus["reading"] = bit()
    return dict(
        clk=bit(),
        rst=bit(),
        s_boot=Stream(data=uint(build.beat_bits), last=bit()),
        s_prompt=prompt_stream(build),
        m_token=token_stream(build),
        clear=bit(),
        loaded=bit(),
        error=uint(BUS_ERROR_BITS if at_bus else ERROR_BITS),
        cycles=uint(COUNTER_BITS),
        counter_station=uint(clog2(stations(build))),
        counter_select=uint(clog2(len(COUNTERS))),
        counter_value=uint(COUNTER_BITS),
        CFG=build,
        **at_bus,
    )
