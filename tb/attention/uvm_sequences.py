"""Work for the attention: a token's head rows as one transaction, and sequences of tokens over layers."""

from pyuvm import uvm_object

from llama2_myhdl.spec.kinds import KEY, QUERY, VALUE
from tb.attention.uvm_env import CONTENTS, SHAPE_PINS
from tb.lanes import packed, row
from tb.uvm.block_test import BlockSequence
from tb.uvm.env import TRAFFIC

KEY_EXPONENT, VALUE_EXPONENT = 16, 24  # largest ones that a head row can have
POSITIONS = 4  # of a sequence that does not fill the cache


class Token(uvm_object):
    """The head rows of one token in one layer."""

    def randomize(self, rng, cfg, shape, pos, content):
        head_dim, kv_mul, kv_heads = shape
        self.cfg, self.outputs = cfg, head_dim // 2 * kv_mul * kv_heads
        roles = [KEY] * kv_heads + [VALUE] * kv_heads + [QUERY] * (kv_mul * kv_heads)
        self.rows = [(role, *self.row(rng, role, pos, head_dim, content)) for role in roles]

    def row(self, rng, role, pos, head_dim, content):
        """Mantissas and exponent of one row."""
        bits = self.cfg.value_bits if role == VALUE else self.cfg.act_bits
        if content == "mixed":
            return row(rng, "random", head_dim, bits), rng.randint(8, 14) if role == VALUE else rng.randint(2, 5)
        top = VALUE_EXPONENT if role == VALUE else KEY_EXPONENT
        lanes = row(rng, "zero" if content == "zero" else rng.choice(("min", "max")), head_dim, bits)
        return lanes, rng.choice((0, top, rng.randint(0, top)))

    def payloads(self, roles, bits):
        for role, lanes, exponent in self.rows:
            if role in roles:
                yield dict(data=packed(lanes, bits), exponent=exponent, tag=role, last=1)


class AttentionWork(BlockSequence):
    """For each shape and content a sequence of tokens through all layers; the first one fills the cache."""

    async def body(self):
        self.cfg = self.env.cdb_get("CFG")
        positions = self.cfg.max_seq
        for shape in self.env.cdb_get("SHAPES"):
            for content in CONTENTS:
                await self.tokens(shape, content, positions)
                positions = POSITIONS

    async def tokens(self, shape, content, positions):
        self.env.set(**dict(zip(SHAPE_PINS, shape)))
        for pos in range(positions):
            for layer in range(self.cfg.max_layers):
                self.env.traffic(self.rng.choice(tuple(TRAFFIC)))
                self.env.set(layer=layer, seq=self.cfg.sequences - 1, pos=pos)
                token = Token.create("token")
                token.randomize(self.rng, self.cfg, shape, pos, content)
                self.env.promise(m=token.outputs)
                await self.env.feed(s=[token.payloads((KEY, QUERY), self.cfg.act_bits)],
                                    s_value=[token.payloads((VALUE,), self.cfg.value_bits)])
                await self.env.settled()
