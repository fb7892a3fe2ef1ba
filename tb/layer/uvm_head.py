"""The environment of an engine that has the head, and work for it: each packet is answered by a prediction, which is
chosen as an order says."""

from dataclasses import dataclass

from llama2_myhdl.golden.fixed.sampler import Draw, Sampler
from llama2_myhdl.rtl.sampling.settings import Settings
from llama2_myhdl.spec.sampling import TEMPERATURE_MAX, Registers, Sampling
from tb.layer.uvm_env import TAPES, EngineCoverage, EngineEnv, EnginePredictor, StatusMonitor
from tb.layer.uvm_sequences import EngineWork
from tb.sampling.uvm_env import KINDS, kind_of
from tb.sampling.uvm_sequences import CHOSEN, TOP_P, registers_of
from tb.uvm.grid import Grid

PINS = ("given", "target", *(f"settings_{name}" for name in Settings().payload))


@dataclass(frozen=True)
class Answered:
    """A packet has been answered. kind: how its token is chosen; beyond: the list was too short."""

    kind: str
    logprobs: bool
    scored: bool
    beyond: bool


class HeadPredictor(EnginePredictor):
    """Classifies what is scored, and chooses by the order that it reads off the pins."""

    def build_phase(self):
        super().build_phase()
        self.scope = self.cdb_get("SCOPE")

    def classified(self, label):
        return bool(label["scored"])

    def leave(self, golden, x, label):
        at = {name.removeprefix("settings_"): int(getattr(self.scope, f"order_{name}").value) for name in PINS}
        registers, draw, before = Registers.among(at), Draw(0), golden.list_overflows.count
        if label["scored"]:
            entries = self.cfg.list_entries
            choose = Sampler(registers, bool(at["logprobs"]), entries, golden.list_overflows)
            draw = choose(golden.classify(x), label["pos"], at["target"] if at["given"] else None)
        self.predict("m", dict(token=draw.token, logprob=draw.logprob, **label))
        beyond = golden.list_overflows.count > before
        kind = kind_of(registers, at["given"])
        self.transactions.write(Answered(kind, bool(at["logprobs"]), bool(label["scored"]), beyond))

    def counted(self):
        return super().counted() | dict(list_overflows=sum(golden.list_overflows.count for golden in self.model.golden))


class HeadStatus(StatusMonitor):
    NAMES = (*StatusMonitor.NAMES, "list_overflows")


class HeadCoverage(EngineCoverage):
    """What the engine's own collector counts, and how packets are answered."""

    def grids(self):
        yield from super().grids()
        yield Grid("answers", kind=KINDS, logprobs=(False, True), scored=(False, True))
        yield Grid("answers and tape", scored=(False, True), tape=TAPES)
        yield Grid("lists", too_short=(False, True))

    def write(self, packet):
        if not isinstance(packet, Answered):
            super().write(packet)
            return
        self.grid["answers"].sample(kind=packet.kind, logprobs=packet.logprobs, scored=packet.scored)
        self.grid["answers and tape"].sample(scored=packet.scored, tape=self.parent.tape)
        self.grid["lists"].sample(too_short=packet.beyond)


class HeadEnv(EngineEnv):
    PREDICTOR, COVERAGE, HEAD = HeadPredictor, HeadCoverage, True
    MONITORS = dict(status=HeadStatus)

    def order(self, registers, logprobs, given, target):
        """How the tokens of the packets from now on are chosen; none is under way."""
        values = vars(registers) | dict(logprobs=logprobs)
        settings = {f"order_settings_{name}": values[name] for name in Settings().payload}
        self.set(**settings, order_given=given, order_target=target)


class HeadWork(EngineWork):
    """The same packets, their orders of every kind in turn, with log-probabilities and without."""

    number = 0

    async def run(self, model, places):
        env, rng = self.env, self.rng
        kind = KINDS[self.number % len(KINDS)]
        registers = registers_of(rng, rng.choice(CHOSEN) if kind == "given" else kind, env.cdb_get("CFG").list_entries)
        if self.number == KINDS.index("top-p"):  # tokens all but alike, of which the list has not enough: one is scored
            registers = Sampling(temperature=TEMPERATURE_MAX, top_p=max(TOP_P)).registers()
        logprobs = self.number // len(KINDS) % 2
        self.number += 1
        env.order(registers, logprobs, int(kind == "given"), rng.randrange(model.shape.vocab_size))
        await super().run(model, places)

    def answer(self, model):
        return 1

    def classifies(self, packet):
        return bool(packet.label["scored"])
