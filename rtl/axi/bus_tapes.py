"""The tapes of a station in memory behind a bus: as `rtl/memory/tapes.py`, which has them on the chip."""

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.axi.channels import ReadChannels
from llama2_myhdl.rtl.axi.read_master import read_master
from llama2_myhdl.rtl.axi.total_beats import total_beats
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.memory.tape_select import tape_select
from llama2_myhdl.rtl.stream.connect import connect
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.errors import BUS_ERROR_BITS
from llama2_myhdl.spec.program import tape_depth


@hblock
def bus_tapes(
    clk, rst, enable, base, m, from_head, n_layers, layer_beats, head_beats, m_axi, error, busy, CFG, LAYERS, HEAD
):
    """enable: in, the shape registers and base stand fast, until reset. base: Series of addresses, the tape of the
    layers first; m, from_head, n_layers, layer_beats, head_beats, LAYERS, HEAD: as of `rtl/memory/tapes.py`.

    m_axi, error, busy: as of `rtl/axi/read_master.py`. CFG: `BuildConfig.engine` of a build with `weights`.
    """
    tape = Series(*(Stream(data=uint(CFG.beat_bits)) for _ in range(LAYERS + HEAD)))
    total, known = uint(tape_depth(CFG).bit_length()), bit()
    reading = dict(base=base, m=tape, m_axi=m_axi, error=error, busy=busy, AXI=CFG.weights)

    if not LAYERS:
        unused(from_head, n_layers, layer_beats)
        read_master_ = read_master(clk, rst, enable, beats=Series(head_beats), **reading)
        connect_ = connect(tape[0], m)
        return read_master_, connect_
    total_beats_ = total_beats(clk, enable, parts=n_layers, part_beats=layer_beats, total=total, known=known)
    if not HEAD:
        unused(from_head, head_beats)
        read_master_ = read_master(clk, rst, known, beats=Series(total), **reading)
        connect_ = connect(tape[0], m)
        return total_beats_, read_master_, connect_
    read_master_ = read_master(clk, rst, known, beats=Series(total, head_beats), **reading)
    tape_select_ = tape_select(tape[0], tape[1], from_head, m)
    return total_beats_, read_master_, tape_select_


def bus_ports(cfg, layers: bool, head: bool) -> dict:
    """Fresh ports of the station at the bus, by name: base and m_axi; cfg: `BuildConfig.engine` of the build."""
    count = layers + head
    base = Series(*(uint(cfg.weights.address_bits) for _ in range(count)))
    return dict(base=base, m_axi=ReadChannels(cfg.weights, clog2(count)))


def ports(cfg, layers, head):
    """Fresh ports and parameters, by name; cfg: `BuildConfig.engine` of a build."""
    shape = ShapeRegisters(cfg)
    return dict(
        clk=bit(),
        rst=bit(),
        enable=bit(),
        m=Stream(data=uint(cfg.beat_bits)),
        from_head=bit(),
        n_layers=uint(cfg.max_layers.bit_length()),
        layer_beats=shape.layer_beats,
        head_beats=shape.head_beats,
        error=uint(BUS_ERROR_BITS),
        busy=bit(),
        **bus_ports(cfg, layers, head),
        CFG=cfg,
        LAYERS=layers,
        HEAD=head,
    )
