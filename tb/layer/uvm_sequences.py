"""Work for the layer engine: models and packets as transactions; two sequences side by side through each model."""

from dataclasses import replace
from itertools import product

from cocotb.triggers import ClockCycles
from pyuvm import ConfigDB, uvm_object

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.spec.formats import F_FRAC, F_MAX, F_MIN
from tb.layer.engine_bench import load, packet_tape
from tb.layer.uvm_env import CONTENTS, TAPES
from tb.sim.models import random_model
from tb.uvm.block_test import BlockSequence
from tb.uvm.env import TRAFFIC

SHORT = 3  # positions of a sequence that does not fill the cache


class Model(uvm_object):
    """A random model; its name is the transaction's. golden: the integer model, one a sequence; tapes: the beats that a
    packet needs, without the head's and with them."""

    def randomize(self, rng, shape, build):
        golden, image = random_model(rng.getrandbits(32), build, shape)
        self.shape, self.tapes = shape, [packet_tape(image, build, head) for head in (False, True)]
        self.golden = [golden, *(FixedModel(golden.weights, build) for _ in range(1, build.sequences))]

    def payloads(self, head=False):
        return [dict(data=beat) for beat in self.tapes[head]]


class Packet(uvm_object):
    """A residual vector and its label."""

    def randomize(self, rng, dim, seq, pos, content, scored):
        self.label = dict(seq=seq, pos=pos, scored=scored)
        self.x = [self.element(rng, content) for _ in range(dim)]

    def element(self, rng, content):
        return {"mixed": round(rng.gauss(0, 1) * 2**F_FRAC), "edge": rng.choice((F_MIN, F_MAX)), "zero": 0}[content]

    def payloads(self):
        return [dict(data=y, **self.label, last=int(k == len(self.x) - 1)) for k, y in enumerate(self.x)]


class EngineWork(BlockSequence):
    """Every model with every number of layers: a packet of each sequence at a time, back to back, position by position.

    The last one fills the cache.
    """

    async def body(self):
        cfg, levels, tapes = self.env.cdb_get("CFG"), tuple(TRAFFIC), tuple(TAPES)
        shapes = self.env.cdb_get("MODELS").items()
        models = list(product(enumerate(shapes), range(1, cfg.max_layers + 1)))
        for number, ((k, (name, shape)), layers) in enumerate(models):
            model = await self.boot(name, replace(shape, n_layers=layers))
            for pos in range(cfg.max_seq if number == len(models) - 1 else SHORT):
                self.env.use(levels[(number + pos) % len(levels)], tapes[number % len(tapes)])
                sequences = range(cfg.sequences) if pos < SHORT else [0]
                await self.run(model, [(seq, pos, CONTENTS[(k + seq + pos) % len(CONTENTS)]) for seq in sequences])

    async def boot(self, name, shape):
        """A new model needs a reset."""
        env, model = self.env, Model.create(name)
        model.randomize(self.rng, shape, env.cdb_get("CFG"))
        ConfigDB().set(None, "*", "MODEL", model)
        env.set(rst=1, enable=0)
        await ClockCycles(env.scope.clk, 2)
        env.set(rst=0)
        await load(env.scope, shape)
        env.set(enable=1)
        return model

    async def run(self, model, places):
        """Packets, every second one scored, and the counters behind them."""
        packets, first = [Packet.create("packet") for _ in places], self.rng.randrange(2)
        for k, (packet, place) in enumerate(zip(packets, places)):
            packet.randomize(self.rng, model.shape.dim, *place, (first + k) % 2)
        self.env.promise(m=len(packets) * self.answer(model), status=1)
        await self.env.feed(
            s=[packet.payloads() for packet in packets],
            s_tape=[model.payloads(self.classifies(packet)) for packet in packets],
        )
        await self.env.settled("m")
        await self.env.monitors["status"].read()
        self.env.predictor.status()
        await self.env.settled()

    def answer(self, model) -> int:
        """Beats that come of a packet."""
        return model.shape.dim

    def classifies(self, packet) -> bool:
        """Whether a packet needs the head's beats."""
        return False
