"""The devices that a design is mapped to: how Yosys does it, what its cells are, and how much a part has of them.

A target's `columns` are the resources that are counted; `cells` says how many of which a mapped cell takes.
"""

from dataclasses import dataclass, field

LUT, CARRY, FF, LUT_RAM, BLOCK_RAM, ULTRA_RAM, DSP = "LUT", "carry", "FF", "LUT RAM", "block RAM", "UltraRAM", "DSP"
RAM_KINDS = {LUT_RAM: "distributed", BLOCK_RAM: "block", ULTRA_RAM: "ultra"}  # as `ram_style` calls them


@dataclass(frozen=True)
class Target:
    """synth: Yosys' command; to_memories, to_check: its labels where memories are whole and behind the last mapping.

    policy: commands for whole memories, before they are mapped. passes: Yosys' steps in all, more or less.
    cells: {cell: (column, amount)}; others: cells that are not counted, clock buffers for instance.
    levels: cells that are one LUT level of a path; wires: those that a path passes for nothing, as they are part of a
    LUT's own place. read: the address ports that a LUT RAM reads by, as a pattern.
    bits: {column: bits of one primitive of a RAM}. sites: {column: LUTs' places that one of it occupies}.
    parts: {name: {column: how many}}; LUT there counts all places of a LUT.
    """

    name: str
    title: str
    synth: str
    to_memories: str
    to_check: str
    passes: int
    cells: dict[str, tuple[str, float]]
    levels: frozenset[str]
    wires: frozenset[str]
    read: str
    bits: dict[str, int]
    sites: dict[str, int]
    parts: dict[str, dict[str, int]]
    policy: tuple[str, ...] = ()
    to_luts: str = ""
    luts: tuple[str, ...] = ()
    to_cells: str = ""
    others: frozenset[str] = frozenset()
    columns: tuple[str, ...] = field(init=False)

    def __post_init__(self):
        order = (LUT, CARRY, FF, LUT_RAM, BLOCK_RAM, ULTRA_RAM, DSP)
        known = {column for column, _ in self.cells.values()}
        object.__setattr__(self, "columns", tuple(column for column in order if column in known))

    def of(self, column: str) -> frozenset[str]:
        """Cells that count in a column."""
        return frozenset(cell for cell, (known, _) in self.cells.items() if known == column)

    def mapping(self, synth: str, label: str) -> list[str]:
        """The commands from a label ahead of `to_luts` on to `to_check`; synth: Yosys' command up to its labels."""
        if not self.luts:
            return [f"{synth} {label}:{self.to_check}"]
        return [f"{synth} {label}:{self.to_luts}", *self.luts, f"{synth} {self.to_cells}:{self.to_check}"]

    @property
    def ends(self) -> frozenset[str]:
        """Cells at which a path begins and ends: a clock is in them, or a hard block's own logic."""
        return self.of(FF) | self.of(BLOCK_RAM) | self.of(ULTRA_RAM) | self.of(DSP)

    def lut_sites(self, counts: dict[str, float]) -> float:
        """LUTs' places that these counts occupy."""
        return counts.get(LUT, 0) + sum(counts.get(column, 0) * each for column, each in self.sites.items())


_NARROW_TABLE = 12  # bits of a word

# Yosys lets ABC map once, with 300 ps a wire; the wires of a full device take 1 ns and more. What is restructured for
# depth and mapped a second time has five levels of LUTs where that had seven, with one LUT more in a hundred.
_MAPPED = "&dch,-f,-r;&if,{W},{D},{R},-v;&mfs"
_ABC9 = f"abc9 -W 1000 -script +&scorr;&sweep;&dc2;&synch2;{_MAPPED};&st;{_MAPPED}"

ECP5 = Target(
    name="ecp5",
    title="Lattice ECP5",
    # -no-rw-check: no word is used that was read in the cycle of its writing, so no emulation logic is wanted
    synth="synth_ecp5 -no-rw-check",
    to_memories="map_ram",
    to_check="check",
    passes=50,
    # a narrow table wastes a block RAM, whose output is slow and far from the multiplier that waits for it
    policy=(f'setattr -set rom_style "logic" t:$mem_v2 r:WR_PORTS=0 %i r:WIDTH<={_NARROW_TABLE} %i',),
    to_luts="map_luts",
    luts=("check -latchonly -assert", _ABC9, "clean"),
    to_cells="map_cells",
    cells={
        "LUT4": (LUT, 1),
        "CCU2C": (CARRY, 1),
        "TRELLIS_FF": (FF, 1),
        "TRELLIS_DPR16X4": (LUT_RAM, 1),
        "DP16KD": (BLOCK_RAM, 1),
        "MULT18X18D": (DSP, 1),
    },
    levels=frozenset({"LUT4"}),
    wires=frozenset({"PFUMX", "L6MUX21"}),
    read=r"RAD\d*",
    bits={LUT_RAM: 64, BLOCK_RAM: 18 * 1024},
    sites={CARRY: 2, LUT_RAM: 6},  # four hold the words, two more are the write port
    parts={
        "ECP5-85F": {LUT: 83_640, FF: 83_640, BLOCK_RAM: 208, DSP: 156},
        "ECP5-45F": {LUT: 43_848, FF: 43_848, BLOCK_RAM: 108, DSP: 72},
    },
)

_ULTRA_WORDS, _ULTRA_BITS = 4096, 32  # what is at least so deep and wide does not waste most of an UltraRAM
XILINX = Target(
    name="xilinx",
    title="AMD UltraScale+",
    synth="synth_xilinx -family xcup -flatten -noiopad",
    to_memories="map_memory",
    to_check="check",
    passes=60,
    cells={
        **{f"LUT{inputs}": (LUT, 1) for inputs in range(1, 7)},
        "INV": (LUT, 1),
        "SRL16E": (LUT, 1),
        "SRLC32E": (LUT, 1),
        "CARRY4": (CARRY, 0.5),  # of the device's CARRY8
        "CARRY8": (CARRY, 1),
        **{name: (FF, 1) for name in ("FDRE", "FDSE", "FDCE", "FDPE")},
        "RAM32X1D": (LUT_RAM, 2),
        "RAM64X1D": (LUT_RAM, 2),
        "RAM128X1D": (LUT_RAM, 4),
        "RAM256X1D": (LUT_RAM, 8),
        "RAM32M": (LUT_RAM, 4),
        "RAM64M": (LUT_RAM, 4),
        "RAM32M16": (LUT_RAM, 8),
        "RAM64M8": (LUT_RAM, 8),
        "RAM32X16DR8": (LUT_RAM, 8),
        "RAM64X8SW": (LUT_RAM, 8),
        "RAM512X1S": (LUT_RAM, 8),
        "RAMB18E2": (BLOCK_RAM, 0.5),  # of a RAMB36E2
        "RAMB36E2": (BLOCK_RAM, 1),
        "URAM288": (ULTRA_RAM, 1),
        "DSP48E2": (DSP, 1),
    },
    levels=frozenset({*(f"LUT{inputs}" for inputs in range(1, 7)), "INV"}),
    wires=frozenset({"MUXF7", "MUXF8", "MUXF9"}),
    read=r"(ADDR[A-H]?|RADR|DPRA|A)\d*",
    bits={LUT_RAM: 64, BLOCK_RAM: 36 * 1024, ULTRA_RAM: 288 * 1024},
    sites={LUT_RAM: 1},
    parts={
        "ZU5EV (K26, KV260)": {LUT: 117_120, FF: 234_240, BLOCK_RAM: 144, ULTRA_RAM: 64, DSP: 1_248},
        "ZU7EV (ZCU104, ZCU106)": {LUT: 230_400, FF: 460_800, BLOCK_RAM: 312, ULTRA_RAM: 96, DSP: 1_728},
        "VU9P (Alveo U200, VCU118)": {LUT: 1_182_240, FF: 2_364_480, BLOCK_RAM: 2_160, ULTRA_RAM: 960, DSP: 6_840},
        "VU13P (Alveo U250)": {LUT: 1_728_000, FF: 3_456_000, BLOCK_RAM: 2_688, ULTRA_RAM: 1_280, DSP: 12_288},
    },
    # what the RTL wants in block RAM, or leaves open, goes to the larger kind where it fills it
    policy=(
        f'setattr -set ram_style "ultra" t:$mem_v2 r:SIZE>={_ULTRA_WORDS} %i r:WIDTH>={_ULTRA_BITS} %i r:WR_PORTS>0 %i',
    ),
    others=frozenset({"BUFG", "GND", "VCC"}),
)

TARGETS = {target.name: target for target in (ECP5, XILINX)}
