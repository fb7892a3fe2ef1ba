"""A small block, its Verilog and what Verilator would count in it."""

from pathlib import Path

MYHDL = '''
@hblock
def clamp(clk, s, m, WIDTH=4):
    """Keeps m within limits."""
    held = uint(WIDTH)

    @always_comb
    def pass_on():
        m.data.next = held

    @always(clk.posedge)
    def control():
        bits = intbv(0)[WIDTH:]
        if s.valid:
            bits[:] = s.data
            if s.data > HIGH:
                bits[:] = HIGH
            elif s.data < LOW:
                bits[:] = LOW
            held.next = bits
        else:
            held.next = 0

    return pass_on, control
'''
VERILOG = """module llama_clamp (
    input wire clk,
    input wire s_valid,
    input wire [3:0] s_data,
    output wire [3:0] m_data
);

reg [3:0] held;

assign m_data = held;

always @(posedge clk) begin: control
    reg [3:0] bits;
    if (s_valid) begin
        bits = s_data;
        if (s_data > 12) begin
            bits = 12;
        end
        else if (s_data < 2) begin
            bits = 2;
        end
        held <= bits;
    end
    else begin
        held <= 0;
    end
end

endmodule
"""
# of the Verilog, by the line that they stand in: type, what, lines of statements; a count each is given by tests
ENTRIES = {
    (12, "block"): ("line", "12"),
    (14, "if"): ("branch", "14-16,22"),
    (14, "else"): ("branch", "24-25"),
    (16, "if"): ("branch", "16-17"),
    (19, "if"): ("branch", "19-20"),
    (19, "else"): ("branch", ""),
}
# all but one statement and its branch
REACHED = {(12, "block"): 9, (14, "if"): 5, (14, "else"): 4, (19, "if"): 3, (19, "else"): 2}
LOW = {f"held[{bit}]:{change}": 1 for bit in range(3) for change in ("0->1", "1->0")}  # toggles


def source(folder: Path) -> Path:
    """A folder with the block's MyHDL."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "clamp.py").write_text(MYHDL)
    return folder


def entry(file: Path, line: int, kind: str, what: str, lines: str, count: int) -> str:
    """A line of a file of counts."""
    fields = dict(f=file, l=line, n=5, t=kind, page=f"v_{kind}/{file.stem}", o=what, S=lines, h="llama_clamp")
    return "C '" + "".join(f"\1{key}\2{value}" for key, value in fields.items() if value != "") + f"' {count}"


def counts(folder: Path, name: str, reached: dict[tuple[int, str], int], bits: dict[str, int], width: int = 4) -> Path:
    """A build's Verilog and its file of counts; the entries that `reached` does not name have 0. bits: toggles."""
    folder = folder / name
    folder.mkdir(parents=True)
    verilog = folder / "llama_clamp.v"
    verilog.write_text(VERILOG.replace("[3:0]", f"[{width - 1}:0]"))
    lines = [entry(verilog, line, *ENTRIES[line, what][:1], what, ENTRIES[line, what][1], reached.get((line, what), 0))
             for line, what in ENTRIES]  # fmt: skip
    lines += [entry(verilog, 8, "toggle", what, "", count) for what, count in bits.items()]
    file = folder / "one.dat"
    file.write_text("\n".join(["# SystemC::Coverage-3", *lines, ""]))
    return file
