"""Proofs of the decode loop."""

from dataclasses import replace

from llama2_myhdl.formal.proof import Proof, block_of
from llama2_myhdl.rtl.decode import decode_loop, orders
from llama2_myhdl.rtl.decode.decode_loop import prompt_stream
from llama2_myhdl.rtl.decode.pick import again_stream, input_stream, pick
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.presets import preset

# greedy, two sequences, four positions
BUILD = replace(preset("nano").build, sequences=2, list_entries=0, max_seq=4)


def _pick():
    build: BuildConfig = BUILD
    prompt = prompt_stream(build)
    strobes = {name: bit() for name in ("clk", "rst", "enable", "ended", "opens", "faulty")}
    numbers = dict(ended_seq=uint(build.seq_bits), opens_seq=uint(build.seq_bits), vocab_size=uint(build.token_bits))
    streams = dict(s_prompt=prompt, s_again=again_stream(prompt), m=input_stream(prompt))
    return pick, dict(**strobes, **numbers, **streams, SLOTS=2)


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
