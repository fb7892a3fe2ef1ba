"""The sampler's environment: predicted by golden.fixed.sampler from the logits and settings that its monitors see."""

from dataclasses import dataclass

from llama2_myhdl.golden.fixed.sampler import greedy, sample
from llama2_myhdl.rtl.sampling.sampler import ports
from llama2_myhdl.rtl.sampling.settings import Settings
from llama2_myhdl.spec.formats import F_MAX, F_MIN
from llama2_myhdl.spec.sampling import FLOOR_OFF, P_OFF, Registers
from tb.uvm.coverage import Coverage
from tb.uvm.env import TRAFFIC, BlockEnv, streams_of
from tb.uvm.grid import Grid
from tb.uvm.predictor import Predictor

CUTS = ("top-k", "top-p", "min-p", "combined")  # what is drawn from a list
KINDS = ("greedy", "given", "temperature", *CUTS)
CONTENTS = ("equal", "tied", "spread", "ends")
SIZES = ("one", "less than the list", "the list", "one more", "most")
PINS = ("position", "given", "target", *(f"settings_{name}" for name in Settings().payload))


def kind_of(registers: Registers, given: int) -> str:
    """How a token is chosen."""
    if given or registers.greedy:
        return "given" if given else "greedy"
    cuts = (registers.k != 0, registers.p != P_OFF, registers.floor != FLOOR_OFF)
    if sum(cuts) > 1:
        return "combined"
    return CUTS[cuts.index(True)] if any(cuts) else "temperature"


def content_of(logits) -> str:
    """`tied`: there are several that are the largest; `ends`: the lowest and the highest that there can be."""
    if len(set(logits)) == 1:
        return "equal"
    if {F_MIN, F_MAX} <= set(logits):
        return "ends"
    return "tied" if logits.count(max(logits)) > 1 else "spread"


@dataclass(frozen=True)
class Drawn:
    """A vocabulary that has passed. speaks: something must come out; token, beyond: of a token that is drawn."""

    kind: str
    logprobs: bool
    speaks: bool
    size: int
    content: str
    target_inside: bool
    first: bool
    beyond: bool


class SamplerPredictor(Predictor):
    """Reads settings, position and target off the pins with a vocabulary's first logit, as the block may."""

    def build_phase(self):
        super().build_phase()
        self.cfg, self.scope = self.cdb_get("CFG"), self.cdb_get("SCOPE")
        self.logits = []

    def take(self, port, beat):
        if not self.logits:
            self.at = {name.removeprefix("settings_"): int(getattr(self.scope, name).value) for name in PINS}
        self.logits.append(beat["data"])
        if beat["last"]:
            self._finish()
            self.logits = []

    def _finish(self):
        at, registers = self.at, Registers.among(self.at)
        target = at["target"] if at["given"] else None
        draw = sample(self.logits, registers, at["position"], self.cfg.list_entries, target)
        draws, logprobs = not (at["given"] or registers.greedy), bool(at["logprobs"])
        beyond = draws and draw.overflow
        if draws or logprobs:
            token, logprob = draw.token if draws else None, draw.logprob if logprobs else 0
            self.predict("m", dict(token=token, logprob=logprob, beyond=int(beyond)))
        self.transactions.write(Drawn(
            kind_of(registers, at["given"]), logprobs, draws or logprobs, len(self.logits), content_of(self.logits),
            at["target"] < len(self.logits), draw.token == greedy(self.logits), beyond,
        ))  # fmt: skip


class SamplerCoverage(Coverage):
    """ConfigDB: CFG. What the logits are counts where something comes out."""

    def grids(self):
        cfg = self.cdb_get("CFG")
        self.sizes = {1: SIZES[0], cfg.list_entries: SIZES[2], cfg.list_entries + 1: SIZES[3], cfg.max_vocab: SIZES[4]}
        yield Grid("settings", kind=KINDS, logprobs=(False, True), traffic=TRAFFIC)
        yield Grid("vocabularies", size=SIZES, list=(False, True))
        yield Grid("logits", content=CONTENTS, kind=KINDS)
        yield Grid("targets", goal=2, inside=(False, True))
        yield Grid("choices", largest=(False, True))
        yield Grid("lists", kind=("top-p", "min-p"), too_short=(False, True))

    def write(self, drawn: Drawn):
        kind = drawn.kind
        self.grid["settings"].sample(kind=kind, logprobs=drawn.logprobs, traffic=self.parent.level)
        if not drawn.speaks:
            return
        self.grid["vocabularies"].sample(size=self.sizes.get(drawn.size, SIZES[1]), list=kind in CUTS)
        self.grid["logits"].sample(content=drawn.content, kind=kind)
        if kind == "given":
            self.grid["targets"].sample(inside=drawn.target_inside)
        elif kind != "greedy":
            self.grid["choices"].sample(largest=drawn.first)
        if kind in ("top-p", "min-p"):
            self.grid["lists"].sample(kind=kind, too_short=drawn.beyond)


class SamplerEnv(BlockEnv):
    PREDICTOR, COVERAGE, QUIET = SamplerPredictor, SamplerCoverage, 300

    def streams(self):
        return streams_of(ports(self.cdb_get("CFG")))
