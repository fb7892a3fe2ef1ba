"""The decoder, what loads it from memory, and what resets both while the memory goes on."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.attention import attention as cache_at_bus
from llama2_myhdl.rtl.axi.bus_tapes import bus_ports
from llama2_myhdl.rtl.axi.channels import ReadChannels
from llama2_myhdl.rtl.control.compose import join_address
from llama2_myhdl.rtl.control.image_reader import image_reader
from llama2_myhdl.rtl.control.load_control import load_control
from llama2_myhdl.rtl.control.read_gate import read_gate
from llama2_myhdl.rtl.control.shape_store import shape_store
from llama2_myhdl.rtl.control.write_gate import write_gate
from llama2_myhdl.rtl.decode.decode_loop import prompt_stream, token_stream
from llama2_myhdl.rtl.decoder import decoder, stations
from llama2_myhdl.rtl.embedding import bus_embedding as embedding_at_bus
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.cache import cache_count
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.control import WORD_BITS, boot_bus, place_buses
from llama2_myhdl.spec.counters import COUNTER_BITS, SELECT_BITS
from llama2_myhdl.spec.errors import BUS_ERROR_BITS, ERROR_BITS, NONE
from llama2_myhdl.spec.registers import REGISTERS as SHAPE_REGISTERS


@hblock
def loaded_decoder(
    clk,
    rst,
    start,
    again,
    clear,
    idle,
    loading,
    loaded,
    resetting,
    restart,
    error,
    image_low,
    image_high,
    image_bytes,
    s_prompt,
    m_token,
    cycles,
    counter_station,
    counter_select,
    counter_value,
    shape_index,
    shape_value,
    m_axi_boot,
    CFG,
    tape_low=None,
    tape_high=None,
    m_axi=None,
    m_axi_embedding=None,
    m_axi_cache=None,
):
    """start, again, idle, resetting, restart: as of `load_control`; clear, loaded and the streams: as of the decoder;
    loading: out, the image is being read; error: out, a register, code of decoder or bus.

    image_low, image_high, image_bytes, tape_low, tape_high: in, registers, the latter two Series, one for each
    tape, then for the embedding's rows, then for each engine's keys and values, as far as they lie in memory; they
    stand fast from start to idle. shape_*: of `shape_store`; m_axi_boot, m_axi, m_axi_embedding, m_axi_cache: as of
    `llama2_ip`.
    """
    BUS, COUNT = boot_bus(CFG), stations(CFG)
    active, stop, all_quiet = bit(), bit(), bit()
    boot = Stream(data=uint(CFG.beat_bits), last=bit())
    boot_taken, boot_word = bit(), uint(WORD_BITS)
    boot_channels = ReadChannels(BUS, 1)
    image_base = uint(BUS.address_bits)
    decoder_error = uint(BUS_ERROR_BITS if CFG.buses else ERROR_BITS)
    reader_error = uint(BUS_ERROR_BITS)
    CACHES = range(cache_count(CFG))
    quiet = [bit() for _ in range(1 + COUNT * bool(CFG.weights) + bool(CFG.embedding) + 2 * len(CACHES))]
    quiet_bus = uint(len(quiet))
    ALL_QUIET = (1 << len(quiet)) - 1

    load_control_ = load_control(clk, rst, start, again, all_quiet, idle, active, stop, resetting, restart)
    image_address = join_address(image_low, image_high, image_base)
    image_reader_ = image_reader(
        clk, restart, active, image_base, size=image_bytes, m=boot, m_axi=boot_channels, error=reader_error, AXI=BUS
    )
    gate_boot = read_gate(clk, rst, stop, s=boot_channels, m=m_axi_boot, quiet=quiet[0], LIMIT=BUS.outstanding)
    shape_store_ = shape_store(
        clk, restart, boot_taken, boot_word, shape_index, shape_value, COUNT=len(SHAPE_REGISTERS)
    )
    quiet_pack = pack(quiet, quiet_bus)

    at_bus, gates, bases = {}, [], []
    if CFG.buses:
        reading = bit()
        unused(reading)  # the gates count at the memory's side
        at_bus = dict(reading=reading)
    if CFG.weights:
        each = [bus_ports(CFG.engine, k < CFG.engines, k == COUNT - 1) for k in range(COUNT)]
        inner = [one["m_axi"] for one in each]
        bases = [base for one in each for base in one["base"]]
        gates = [
            read_gate(clk, rst, stop, s=inner[k], m=m_axi[k], quiet=quiet[1 + k], LIMIT=CFG.weights.outstanding)
            for k in range(COUNT)
        ]
        at_bus |= dict(tape_base=Series(*(one["base"] for one in each)), m_axi=Series(*inner))
    if CFG.embedding:
        rows, limit = embedding_at_bus.bus_ports(CFG), CFG.embedding.outstanding
        of_rows = quiet[1 + len(gates)]
        gates.append(read_gate(clk, rst, stop, s=rows["m_axi"], m=m_axi_embedding, quiet=of_rows, LIMIT=limit))
        bases.append(rows["base"])
        at_bus |= dict(embedding_base=rows["base"], m_axi_embedding=rows["m_axi"])
    if CFG.cache:
        limit, inner = CFG.cache.outstanding, [cache_at_bus.memory_ports(CFG.engine)["m_axi"] for _ in CACHES]
        own = [uint(CFG.cache.address_bits) for _ in CACHES]
        bases += own
        at_bus |= dict(cache_base=Series(*own), m_axi_cache=Series(*inner))
        for s, m in zip(inner, m_axi_cache):
            for gate, way in ((read_gate, "reading"), (write_gate, "writing")):
                ends = dict(s=getattr(s, way), m=getattr(m, way))
                gates.append(gate(clk, rst, stop, **ends, quiet=quiet[1 + len(gates)], LIMIT=limit))
    addresses = [join_address(tape_low[k], tape_high[k], base) for k, base in enumerate(bases)]

    decoder_ = decoder(
        clk,
        restart,
        s_boot=boot,
        s_prompt=s_prompt,
        m_token=m_token,
        clear=clear,
        loaded=loaded,
        error=decoder_error,
        cycles=cycles,
        counter_station=counter_station,
        counter_select=counter_select,
        counter_value=counter_value,
        CFG=CFG,
        **at_bus,
    )

    @always_comb
    def see():
        boot_taken.next = boot.valid and boot.ready
        boot_word.next = boot.data[WORD_BITS:]
        all_quiet.next = quiet_bus == ALL_QUIET
        loading.next = active and not resetting and not loaded and error == NONE

    @always(clk.posedge)
    def judge():
        if restart:
            error.next = NONE
        elif decoder_error != NONE:
            error.next = decoder_error
        else:
            error.next = reader_error

    return (
        load_control_,
        image_address,
        image_reader_,
        gate_boot,
        shape_store_,
        quiet_pack,
        gates,
        addresses,
        decoder_,
        see,
        judge,
    )


def memory_ports(build: BuildConfig) -> dict:
    """Fresh ports to memory, by name."""
    found, count = dict(m_axi_boot=ReadChannels(boot_bus(build), 1)), stations(build)
    if build.weights:
        each = [bus_ports(build.engine, k < build.engines, k == count - 1)["m_axi"] for k in range(count)]
        found["m_axi"] = Series(*each)
    if build.embedding:
        found["m_axi_embedding"] = embedding_at_bus.bus_ports(build)["m_axi"]
    if build.cache:
        found["m_axi_cache"] = Series(*(cache_at_bus.memory_ports(build.engine)["m_axi"] for _ in range(build.engines)))
    return found


def ports(build: BuildConfig) -> dict:
    """Fresh ports and parameters, by name."""
    flags = ("clk", "rst", "start", "again", "clear", "idle", "loading", "loaded", "resetting", "restart")
    words = {name: uint(WORD_BITS) for name in ("image_low", "image_high", "image_bytes", "shape_value")}
    places = place_buses(build)
    halves = {name: Series(*(uint(WORD_BITS) for _ in places)) for name in ("tape_low", "tape_high") if places}
    return dict(
        **{name: bit() for name in flags},
        **words,
        **halves,
        error=uint(BUS_ERROR_BITS),
        s_prompt=prompt_stream(build),
        m_token=token_stream(build),
        cycles=uint(COUNTER_BITS),
        counter_station=uint(clog2(stations(build))),
        counter_select=uint(SELECT_BITS),
        counter_value=uint(COUNTER_BITS),
        shape_index=uint(clog2(len(SHAPE_REGISTERS))),
        **memory_ports(build),
        CFG=build,
    )
