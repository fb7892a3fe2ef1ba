"""cocotb side of `tb.myhdl_sim`: the same vectors on the converted Verilog of a fixed-latency block."""
from cocotb.triggers import RisingEdge

from llama2_myhdl.sim.clock import start_clock
from llama2_myhdl.sim.streams import reader


async def apply(dut, vectors, outputs, latency):
    """Apply one vector a clock cycle and collect the outputs `latency` cycles after each.

    vectors: dicts of port name to int; outputs: dict of port name to True if signed, else False; latency: registers on
    the way, 0 or more. Returns one dict of ints a vector; an output with an X gives None, which equals no golden value.
    """
    start_clock(dut)
    edge, results = RisingEdge(dut.clk), []
    inputs = {name: (getattr(dut, name), (1 << len(getattr(dut, name))) - 1) for name in vectors[0]}
    read = {name: (reader(getattr(dut, name)), signed) for name, signed in outputs.items()}
    last = {}
    await edge
    for cycle in range(len(vectors) + latency):
        for name, value in vectors[min(cycle, len(vectors) - 1)].items():
            if last.get(name) != value:
                pin, mask = inputs[name]
                pin.value, last[name] = value & mask, value
        await edge
        # just before this edge the registers show what `cycle` edges since the first vector have made of it
        if cycle >= latency:
            results.append({name: _number(bits(), signed) for name, (bits, signed) in read.items()})
    return results


def with_pauses(rng, inputs, wanted, enable="enable"):
    """Vectors for a pipeline with an enable, of which about every third has none: it shows what it did before.

    inputs, wanted: as of a pipeline without it; the first one has it.
    """
    enabled, shown, last = [], [], wanted[0]
    for k, (vector, result) in enumerate(zip(inputs, wanted, strict=True)):
        on = not k or rng.random() < 0.7
        last = result if on else last
        enabled.append(dict(vector, **{enable: int(on)}))
        shown.append(last)
    return enabled, shown


def _number(text, signed):
    if not set(text) <= {"0", "1"}:
        return None
    number = int(text, 2)
    return number - (1 << len(text)) if signed and text[0] == "1" else number
