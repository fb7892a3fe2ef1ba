"""Work for the decoder: models and prompts as transactions; boot, then sequences that end in every way."""

from itertools import cycle

from cocotb.triggers import ClockCycles
from pyuvm import ConfigDB, uvm_object

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.spec.sampling import P_OFF, Sampling
from llama2_myhdl.spec.sequence import Request, prompt_beats
from llama2_myhdl.spec.stops import STOP_IDS
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image
from tb.decode.ends import CUT, UNSET, reason_of
from tb.uvm.block_test import BlockSequence
from tb.uvm.env import TRAFFIC

TRIES = 400  # random models or prompts until one is as wanted
BOOT_CYCLES = 50  # from the last boot beat to `loaded`


class Model(uvm_object):
    """A random model; its name is the transaction's. golden: the integer model; payloads: its boot stream."""

    def randomize(self, rng, shape, shared, build):
        """A model that says a stop token now and then: behind some prompts of one token, at most half of them."""
        for _ in range(TRIES):
            weights = quantise_checkpoint(random_checkpoint(shape, rng.getrandbits(32), shared), gptq=False)
            self.golden = FixedModel(weights, build)
            endings = [self.last_token(token) for token in range(shape.vocab_size)]
            if 2 <= sum(token in STOP_IDS for token in endings) <= shape.vocab_size // 2:
                break
        else:
            raise ValueError(f"{self.get_name()}: no model that stops now and then in {TRIES} tries")
        beats = [int.from_bytes(beat.tobytes(), "little") for beat in boot_image(weights, build).beats]
        self.beats = [dict(data=beat, last=int(n == len(beats) - 1)) for n, beat in enumerate(beats)]

    def last_token(self, token):
        """The last prediction in a sequence that starts with a token and runs as long as it may."""
        return list(self.golden.decode(Request((token,))))[-1].token

    def payloads(self):
        return self.beats


class Prompt(uvm_object):
    """Prompt tokens, positions to run, and wishes; `answers`: how many token beats it must get, by the golden model.

    wishes: fields of Request; fault: fields of the first beat that the hardware refuses.
    """

    def randomize(self, rng, model, reason, length, kinds):
        """A prompt of a length bin that ends for a reason, with wishes of these kinds, by default none; ValueError when
        none is found."""
        self.fault = rng.choice([dict(shift=0), dict(k=127), dict(p=P_OFF + 1)]) if reason == UNSET else {}
        for _ in range(TRIES):
            self.wishes = wishes(rng, *kinds) if kinds else {}
            if reason == "context" and self.wishes["new_tokens"]:  # as many as there is no room for
                self.wishes |= dict(new_tokens=model.golden.shape.seq_len + 1)
            self.draw(rng, model.golden.shape, reason, length)
            if self.ending(model.golden) == reason:
                return
        raise ValueError(f"{model.get_name()}: no prompt ({length}) that ends with {reason!r} in {TRIES} tries")

    def draw(self, rng, shape, reason, length):
        context = shape.seq_len
        count = {"one": 1, "few": rng.randint(2, 3), "many": rng.randint(4, context)}[length]
        if reason == "prompt too long":
            count = context + rng.randint(1, 2)
        self.tokens = [self.token(rng, shape.vocab_size) for _ in range(count)]
        self.steps = context + 1
        if reason == "token out of range":
            self.tokens[rng.randrange(count)] = rng.randint(shape.vocab_size, 2 * shape.vocab_size - 1)
        elif reason == "steps":
            self.steps = rng.randint(count, context)
        elif reason == CUT:
            self.steps = rng.randint(1, max(1, count - 1))

    def token(self, rng, vocab):
        return rng.randrange(vocab)

    def ending(self, golden) -> str:
        """Why the golden model ends; sets `answers`, and `forwards` and `unscored`, the tokens that pass the model."""
        if self.fault:
            self.answers, self.unscored, self.forwards = 1, 1, 0
            return UNSET
        beats = list(golden.decode(self.request))
        self.answers, reason = len(beats), reason_of(beats[-1], len(self.tokens))
        self.unscored = int(reason == "token out of range")
        self.forwards = self.answers - self.unscored
        return reason

    @property
    def request(self):
        return Request(tuple(self.tokens), self.steps, **self.wishes)

    def payloads(self):
        first, *rest = prompt_beats(self.request)
        return [first | self.fault, *rest]


def wishes(rng, warmth, cut, logprobs, stops, new_tokens):
    """Fields of Request for bins of the coverage's axes, random within them."""
    temperature = {"greedy": 0.0, "cool": rng.uniform(0.1, 0.9), "hot": rng.uniform(1.0, 4.0)}[warmth]
    cuts = {"top-k": dict(top_k=rng.randint(1, 8)), "top-p": dict(top_p=rng.uniform(0, 0.99)),
            "min-p": dict(min_p=rng.uniform(0.01, 1))}  # fmt: skip
    cuts |= {"nothing": {}, "several": cuts["top-k"] | cuts["top-p"] | cuts["min-p"]}
    return dict(
        sampling=Sampling(temperature, **cuts[cut], seed=rng.getrandbits(32), stream=rng.getrandbits(32)),
        logprobs=bool(logprobs),
        stops=tuple(rng.randrange(64) for _ in range(stops)),
        new_tokens=rng.randint(1, 4) if new_tokens == "some" else 0,
    )


class DecoderWork(BlockSequence):
    """Boots each model of ConfigDB's MODELS in turn; sequences that end in every way, from prompts of every length."""

    async def body(self):
        levels, settings = cycle(TRAFFIC), self.settings()
        for name, (shape, shared) in self.env.cdb_get("MODELS").items():
            model = Model.create(name)
            model.randomize(self.rng, shape, shared, self.env.cdb_get("CFG"))
            await self.boot(model)
            ends = self.ends()
            self.rng.shuffle(ends)
            for reason, length in ends:
                self.env.traffic(next(levels))
                prompt = Prompt.create("prompt")
                prompt.randomize(self.rng, model, reason, length, () if reason == UNSET else next(settings))
                await self.run(model, prompt)

    def ends(self):
        """Pairs of reason and length bin: all that the coverage has."""
        counts = self.env.coverage.grid["sequences"].counts
        return sorted({(reason, length) for _, reason, length in counts})

    def settings(self):
        """Kinds of wishes without end, all that the coverage has in turn."""
        grid = self.env.coverage.grid
        kinds, limits = (list(grid[name].counts) for name in ("settings", "own limits"))
        self.rng.shuffle(kinds), self.rng.shuffle(limits)
        for kind, limit in zip(cycle(kinds), cycle(limits)):
            yield *kind, *limit

    async def boot(self, model):
        """A new image needs a reset."""
        env = self.env
        env.traffic("free")
        ConfigDB().set(None, "*", "MODEL", model)
        env.set(rst=1)
        await ClockCycles(env.scope.clk, 3)
        env.set(rst=0)
        await env.feed(s_boot=[model.payloads()])
        await ClockCycles(env.scope.clk, BOOT_CYCLES)
        assert env.scope.loaded.value == 1, f"{model.get_name()} did not load: error {env.scope.error.value}"

    async def run(self, model, prompt):
        """One sequence, and the error cleared behind it."""
        self.promise(model, prompt)
        await self.env.feed(s_prompt=[prompt.payloads()])
        await self.env.settled("m_token")
        await self.env.monitors["status"].read()
        await self.env.settled()
        self.env.set(clear=1)
        await ClockCycles(self.env.scope.clk, 2)
        self.env.set(clear=0)

    def promise(self, model, prompt):
        self.env.promise(m_token=prompt.answers, status=1)
