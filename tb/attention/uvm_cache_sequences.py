"""Work for the key/value cache: tokens everywhere in it, all rows read back, and rows that are read at once."""

from itertools import cycle, product

import cocotb
from cocotb.triggers import ClockCycles, FallingEdge
from pyuvm import uvm_object

from llama2_myhdl.rtl.quant.exponent import EXPONENT_BITS
from llama2_myhdl.spec.kinds import KEY, QUERY, VALUE
from tb.attention.kv_cache import address
from tb.attention.uvm_cache import HEADS
from tb.attention.uvm_env import CONTENTS
from tb.lanes import packed, row
from tb.uvm.block_test import BlockSequence
from tb.uvm.env import TRAFFIC

BESIDE = 3  # rows of each role that are asked for while a token's rows come
AGAIN = 4  # times that rows are read at each distance
INPUTS = ("s", "s_value", "s_ask", "s_ask_value")


class CacheToken(uvm_object):
    """The head rows of one token in one layer."""

    def randomize(self, rng, cfg, heads, kv_mul, content):
        self.rng, self.content = rng, content
        keys, queries = [[self.payload(role, cfg.act_bits, cfg.max_head_dim) for _ in range(count)]
                         for role, count in ((KEY, heads), (QUERY, heads * kv_mul))]
        values = [self.payload(VALUE, cfg.value_bits, cfg.max_head_dim) for _ in range(heads)]
        self.payloads = dict(s=[keys + queries], s_value=[values])

    def payload(self, role, bits, lanes):
        kind = {"mixed": "random", "edge": self.rng.choice(("min", "max")), "zero": "zero"}[self.content]
        data = packed(row(self.rng, kind, lanes, bits), bits)
        return dict(data=data, exponent=self.rng.randrange(1 << EXPONENT_BITS), tag=role, last=1)


class CacheWork(BlockSequence):
    """Tokens in random order of sequence, layer and position, with rows read beside them; then all rows, in random
    order; then rows right behind their coming, and right before others take their place."""

    def prepare(self):
        self.cfg = self.env.cdb_get("CFG")
        self.levels, self.contents = cycle(TRAFFIC), cycle(CONTENTS)
        self.written = set()  # places

    async def body(self):
        self.prepare()
        for heads in HEADS:
            await self.tokens(heads)
        await self.read_back()
        self.env.traffic("free")
        for distance in (1, 2, -1) * AGAIN:
            await self.at_once(distance)

    def positions(self):
        top = self.cfg.max_seq - 1
        return 0, *self.rng.sample(range(1, top), 2), top

    def token(self, heads, seq, layer, pos):
        """A token on its way to these places."""
        self.env.set(n_kv_heads=heads, kv_mul=self.cfg.max_heads // heads, seq=seq, layer=layer, pos=pos)
        token = CacheToken.create("token")
        token.randomize(self.rng, self.cfg, heads, self.cfg.max_heads // heads, next(self.contents))
        return token.payloads, [(seq, layer, head, pos) for head in range(heads)]

    def questions(self, keys, values):
        self.env.promise(m=len(keys), m_value=len(values))
        return dict(s_ask=[[address(self.cfg, *place) for place in keys]],
                    s_ask_value=[[address(self.cfg, *place) for place in values]])

    async def tokens(self, heads):
        work = list(product(range(self.cfg.sequences), range(self.cfg.max_layers), self.positions()))
        self.rng.shuffle(work)
        for at in work:
            self.env.traffic(next(self.levels))
            rows, places = self.token(heads, *at)
            others = sorted(self.written - set(places))
            asked = [self.rng.sample(others, min(BESIDE, len(others))) for _ in range(2)]
            await self.env.feed(**rows, **self.questions(*asked))
            await self.env.taken(*INPUTS)
            await ClockCycles(self.env.scope.clk, 2)  # the last row is on its way to its place
            self.written.update(places)
        await self.env.settled()

    async def read_back(self):
        keys, values = [self.rng.sample(sorted(self.written), len(self.written)) for _ in range(2)]
        for number, level in enumerate(TRAFFIC):
            self.env.traffic(level)
            part = slice(number, None, len(TRAFFIC))
            await self.env.feed(**self.questions(keys[part], values[part]))
            await self.env.settled()

    async def at_once(self, distance):
        """The rows of a token are asked for so many cycles behind them; -1: ahead, what was in their place is found."""
        heads = max(HEADS)
        known = [place[:2] + place[3:] for place in sorted(self.written) if place[2] == heads - 1]
        rows, places = self.token(heads, *self.rng.choice(known))
        parts = [rows, self.questions(places, places)]
        if distance < 0:
            parts.reverse()
        await FallingEdge(self.env.scope.clk)
        first = cocotb.start_soon(self.env.feed(**parts[0]))
        await ClockCycles(self.env.scope.clk, abs(distance), FallingEdge)
        await self.env.feed(**parts[1])
        await first
        await self.env.taken(*INPUTS)
        await self.env.settled()
