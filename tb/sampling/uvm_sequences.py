"""Work for the sampler: vocabularies of logits with the settings that they are drawn with."""

from itertools import product

from cocotb.triggers import ClockCycles
from pyuvm import uvm_object

from llama2_myhdl.rtl.sampling.settings import Settings
from llama2_myhdl.spec.formats import F_FRAC, F_MAX, F_MIN
from llama2_myhdl.spec.sampling import TEMPERATURE_MAX, TEMPERATURE_MIN, WORD_BITS, Sampling
from tb.sampling.uvm_env import CONTENTS, KINDS, SIZES
from tb.uvm.block_test import BlockSequence
from tb.uvm.env import TRAFFIC

CHOSEN = tuple(kind for kind in KINDS if kind != "given")
TEMPERATURES = (TEMPERATURE_MIN, 0.5, 0.8, 1.0, 1.5, 10.0, TEMPERATURE_MAX)
TOP_P, MIN_P = (0.0, 0.1, 0.5, 0.9, 0.99), (0.001, 0.05, 0.5, 1.0)


def registers_of(rng, kind, entries):
    """Random registers of a kind, for a list of so many entries."""
    cut = {}
    if kind in ("top-k", "combined"):
        cut["top_k"] = rng.choice((1, 2, entries))
    if kind in ("top-p", "combined"):
        cut["top_p"] = rng.choice(TOP_P)
    if kind in ("min-p", "combined"):
        cut["min_p"] = rng.choice(MIN_P)
    words = {name: rng.getrandbits(WORD_BITS) for name in ("seed", "stream")}
    temperature = 0.0 if kind == "greedy" else rng.choice(TEMPERATURES)
    return Sampling(temperature=temperature, **cut, **words).registers()


class Vocabulary(uvm_object):
    """Logits, settings, position and target of a draw."""

    def randomize(self, rng, cfg, kind, logprobs, size, content):
        self.rng, self.cfg, self.kind, self.logprobs = rng, cfg, kind, logprobs
        fewer = rng.randrange(4, cfg.list_entries)  # three that are the largest are not all
        length = dict(zip(SIZES, (1, fewer, cfg.list_entries, cfg.list_entries + 1, cfg.max_vocab)))[size]
        self.logits = self.values(length, content)
        self.registers = registers_of(rng, rng.choice(CHOSEN) if kind == "given" else kind, cfg.list_entries)
        self.position, self.given = rng.randrange(cfg.max_seq), int(kind == "given")
        self.target = rng.randrange(length)

    @property
    def speaks(self):
        return self.logprobs or self.kind not in ("greedy", "given")

    def values(self, length, content):
        rng = self.rng
        if content == "equal":
            return [rng.choice((F_MIN, -5 << F_FRAC, 0, 5 << F_FRAC, F_MAX))] * length
        values = [int(rng.gauss(0, 3) * 2**F_FRAC) for _ in range(length)]
        ends = {"tied": [max(values)] * 2, "ends": [F_MIN, F_MAX], "spread": []}[content]
        for place, value in zip(rng.sample(range(length), min(length, len(ends))), ends):
            values[place] = value
        return values

    def pins(self):
        values = vars(self.registers) | dict(logprobs=int(self.logprobs))
        settings = {f"settings_{name}": values[name] for name in Settings().payload}
        return settings | dict(position=self.position, given=self.given, target=self.target)

    def payloads(self):
        last = len(self.logits) - 1
        return [dict(data=value, last=int(k == last)) for k, value in enumerate(self.logits)]


class SamplerWork(BlockSequence):
    """Every kind of settings with and without log-probabilities at every level of traffic, in random order; sizes and
    contents take turns within a kind. Then lists that are too short, and targets that there are not."""

    async def body(self):
        work = [draw for kind in KINDS for draw in self.draws_of(kind)]
        self.rng.shuffle(work)
        for level, vocabulary in work:
            await self.draw(level, vocabulary)
        for vocabulary in self.special():
            await self.draw("free", vocabulary)

    def draws_of(self, kind):
        """With their levels of traffic."""
        found = {True: 0, False: 0}  # that speak, and that do not
        cases = list(product((False, True), TRAFFIC))
        self.rng.shuffle(cases)
        for logprobs, level in cases:
            speaks = logprobs or kind not in ("greedy", "given")
            number = found[speaks]
            found[speaks] += 1
            yield level, self.vocabulary(kind, logprobs, SIZES[number % len(SIZES)], CONTENTS[number % len(CONTENTS)])

    def vocabulary(self, *case):
        vocabulary = Vocabulary.create("vocabulary")
        vocabulary.randomize(self.rng, self.env.cdb_get("CFG"), *case)
        return vocabulary

    def special(self):
        for cut in (dict(top_p=0.9), dict(min_p=0.5)):
            vocabulary = self.vocabulary("temperature", True, "most", "equal")
            vocabulary.registers = Sampling(temperature=1.0, **cut).registers()
            yield vocabulary
        for size in ("one", "less than the list"):
            vocabulary = self.vocabulary("given", True, size, "spread")
            vocabulary.target = len(vocabulary.logits)
            yield vocabulary

    async def draw(self, level, vocabulary):
        env = self.env
        env.traffic(level)
        env.set(start=1, **vocabulary.pins())
        await ClockCycles(env.scope.clk, 1)
        env.set(start=0)
        await ClockCycles(env.scope.clk, 1)
        env.promise(m=int(vocabulary.speaks))
        await env.feed(s=[vocabulary.payloads()])
        await (env.settled() if vocabulary.speaks else env.drained())
