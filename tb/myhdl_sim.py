"""Run a fixed-latency block in MyHDL's own simulation, for equivalence with its Verilog and with the golden model."""
from myhdl import block as myhdl_block
from myhdl import delay, instance

from llama2_myhdl.hdl.inspection import quick_inspection
from llama2_myhdl.hdl.ports import bind, port_dict


def simulate(block, arguments, vectors, outputs, latency):
    """Apply one vector a clock cycle and collect the outputs `latency` cycles after each.

    block: an @hblock with a port `clk`; arguments: its ports and parameters by name; vectors: dicts of port name to
    int (interface ports by their flat names, as `s_data`); outputs: port names; latency: registers on the way, 0 or
    more. Returns one dict of ints a vector. A value outside its Signal's bounds raises ValueError, as MyHDL does.
    """
    ports = port_dict(block.func, bind(block.func, (), arguments))
    clk, results = ports["clk"], []

    @myhdl_block
    def bench():
        dut = block(**arguments)

        @instance
        def stimulus():
            for cycle in range(len(vectors) + latency):
                for name, value in vectors[min(cycle, len(vectors) - 1)].items():
                    ports[name].next = value
                yield delay(1)
                if cycle >= latency:
                    results.append({name: int(ports[name]) for name in outputs})
                clk.next = True
                yield delay(1)
                clk.next = False
                yield delay(1)

        return dut, stimulus

    with quick_inspection():
        bench_ = bench()
    bench_.run_sim(quiet=1)
    return results
