"""How the tokens of each sequence are to be chosen, by its number."""
from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack_payload, unpack_payload
from llama2_myhdl.rtl.stream.stream import Payload, bit, uint
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.sampling import FLOOR_BITS, K_BITS, P_BITS, SCALE_BITS, SEED_BITS, SHIFT_BITS


class Settings(Payload):
    """Of a sequence: the registers of spec/sampling.py; logprobs: they are wanted."""

    def __init__(self):
        super().__init__(greedy=bit(), logprobs=bit(), scale=uint(SCALE_BITS), shift=uint(SHIFT_BITS), k=uint(K_BITS),
                         p=uint(P_BITS), floor=uint(FLOOR_BITS), seed=uint(SEED_BITS))


@hblock
def settings(clk, write, write_seq, entry, seq, m, SLOTS):
    """m: the settings of `seq`, a cycle later. write: entry becomes those of write_seq, a cycle later.

    Ports: clk; write; write_seq, seq unsigned, below SLOTS (2 or more); entry, m: Settings.
    """
    bus, held = uint(entry.width), uint(entry.width)
    slots = [uint(entry.width) for _ in range(SLOTS)]
    packing = pack_payload(entry, bus)
    unpacking = unpack_payload(held, m)

    @always(clk.posedge)
    def store():
        if write:
            slots[write_seq].next = bus

    @always(clk.posedge)
    def look_up():
        held.next = slots[seq]

    return packing, unpacking, store, look_up


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build."""
    numbers = dict(write_seq=uint(cfg.seq_bits), seq=uint(cfg.seq_bits))
    return dict(clk=bit(), write=bit(), **numbers, entry=Settings(), m=Settings(), SLOTS=max(2, cfg.sequences))
