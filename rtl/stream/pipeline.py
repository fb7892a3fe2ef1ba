"""What stands around a pipeline of constant latency that cannot stall: credits, valid bits, labels, an output FIFO."""
from myhdl import always, always_comb, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack_payload, unpack_payload
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.stream.credit import credit
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, sint, uint


@hblock
def pipeline(clk, rst, take, enter, label, result, m, room, travelling, LATENCY, DEPTH):
    """The pipeline stands beside it in the parent and runs in every cycle; what nothing entered for is dropped.

        take  ──> credits ──> room         a credit for each result that is begun, back when it leaves m
        enter ──> valid bits ──────┐
        label ──> delay ───────────┴─┐     beside the pipeline, LATENCY cycles
        .. pipeline .. ──> result ───┴─> fifo ──> m

    take: in, only while `room`: a result is begun, which enters in this cycle or later. enter: in, it enters the
    pipeline. label: in, Payload that belongs to what enters, or None; result: in, Payload of what entered LATENCY (1 or
    more) cycles ago. m: Stream of results, each field from `result` or `label` by its name.
    room: out, a register: another one may be begun. travelling: out, uint(LATENCY): bit k: something entered k + 1
    cycles ago, the highest one is the valid of `result`. DEPTH: results begun and waiting, 1 or more.
    Latency LATENCY + fifo.LATENCY from `enter` to m.
    """
    if LATENCY < 1:
        raise ValueError(f"pipeline: LATENCY must be 1 or more, not {LATENCY}")
    LAST = LATENCY - 1
    give = bit()
    fields = {name: getattr(result, name) for name in result.payload}
    if label is None:
        delay_ = labelling = []
    else:
        arrived = Payload(**label.types())
        fields |= dict(zip(arrived.payload, arrived.fields()))
        bus, bus_arrived = uint(label.width), uint(label.width)
        labelling = [pack_payload(label, bus), unpack_payload(bus_arrived, arrived)]
        delay_ = delay(clk, bus, bus_arrived, CYCLES=LATENCY)
    results = Stream(**{name: fields[name] for name in m.payload})
    unused(results.ready)  # the credits see to it that there is room

    credit_ = credit(clk, rst, take, give, room, DEPTH=DEPTH)
    fifo_ = fifo(clk, rst, results, m, DEPTH=DEPTH)

    @always_comb
    def moves():
        give.next = m.valid and m.ready
        results.valid.next = travelling[LAST]

    @always(clk.posedge)
    def travel():
        later = intbv(0)[LATENCY + 1:]
        later[:] = concat(travelling, enter)
        if rst:
            travelling.next = 0
        else:
            travelling.next = later[LATENCY:]

    return labelling, delay_, credit_, fifo_, moves, travel


def ports(latency, depth):
    """Arguments for a result of 13 signed bits with a label of 5 bits and `last`."""
    label, result = Payload(tag=uint(5), last=bit()), Payload(data=sint(13))
    pins = {name: bit() for name in ("clk", "rst", "take", "enter", "room")}
    m = Stream(data=sint(13), tag=uint(5), last=bit())
    return dict(**pins, label=label, result=result, m=m, travelling=uint(latency), LATENCY=latency, DEPTH=depth)
