"""A check of what must never happen: it ends the simulation and is nothing in hardware."""

from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock


@hblock
def check(clk, rst, fault, MESSAGE):
    """Ends the simulation at a rising edge with `fault` high and `rst` low; synthesis sees an empty module.

    clk, rst, fault: in, one bit each. MESSAGE: plain text, without quotes, percent signs and backslashes.
    MyHDL's simulation raises AssertionError(MESSAGE); the Verilog displays it with the instance's path and calls
    $fatal. An unknown `fault` passes, and so does time 0, where a testbench has not driven its pins yet.
    """
    if not MESSAGE.isprintable() or set(MESSAGE) & set('"%\\'):
        raise ValueError(f"check: MESSAGE is plain text without quotes, percent signs and backslashes, not {MESSAGE!r}")

    @always(clk.posedge)
    def watch():
        assert rst or not fault, MESSAGE

    for signal in (clk, rst, fault):
        signal.read = True
    return watch


check.verilog_code = """
`ifndef SYNTHESIS
always @(posedge $clk) begin
    if ($fault && !$rst && $$time != 0) begin
        $$display("%m: %0s", "$MESSAGE");
        $$fatal(1);
    end
end
`endif"""
