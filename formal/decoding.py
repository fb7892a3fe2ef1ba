"""Proofs of the decode loop."""

from dataclasses import replace

from llama2_myhdl.formal.proof import Proof, block_of
from llama2_myhdl.rtl.decode import decode_loop, orders, pick
from llama2_myhdl.rtl.decode.decode_loop import prompt_stream
from llama2_myhdl.spec.presets import preset

# greedy, two sequences, four positions
BUILD = replace(preset("nano").build, sequences=2, list_entries=0, max_seq=4)


def _pick():
    return pick.pick, pick.ports(prompt_stream(BUILD), BUILD.token_bits, SLOTS=2)


def _orders():
    return orders.orders, orders.ports(replace(BUILD, list_entries=8)) | dict(DEPTH=3)


ORDERS = dict(orders=dict(F_DEPTH=3))
LOOP = dict(F_TOKEN=6, F_POS=2, F_ROOM=3)
PROOFS: list[Proof] = [
    Proof("pick", _pick, dict(pick=("pick",)), induction=2),
    Proof("orders", _orders, dict(ring=("ring",), fifo=("fifo",), orders=("orders",)), ORDERS, induction=2),
    Proof(
        "decode_loop",
        block_of(decode_loop, cfg=BUILD),
        dict(decode_loop=("decode_loop",)),
        dict(decode_loop=LOOP),
        depth=14,
        cover=20,
    ),
]
