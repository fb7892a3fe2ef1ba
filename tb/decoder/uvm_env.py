"""The decoder's environment: prompts in, token beats and the status behind each sequence out, by the integer model."""

from collections import Counter
from dataclasses import dataclass

from pyuvm import uvm_analysis_port

from llama2_myhdl.golden.fixed.arith import Tally
from llama2_myhdl.golden.fixed.sampler import Sampler
from llama2_myhdl.rtl.decoder import ports
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.sampling import FLOOR_OFF, P_OFF, Registers, Sampling
from llama2_myhdl.spec.stops import MORE_STOPS
from tb.decode.ends import ERRORS, LENGTHS, REASONS, UNSET, impossible, length_bin, reason_of
from tb.decode.uvm_counters import CounterMonitor
from tb.decoder.loop_model import answered, fields
from tb.uvm.coverage import Coverage
from tb.uvm.env import TRAFFIC, BlockEnv, streams_of
from tb.uvm.grid import Grid
from tb.uvm.predictor import Predictor

CUTS = ("nothing", "top-k", "top-p", "min-p", "several")
WARMTH = ("greedy", "cool", "hot")  # temperature 0, below 1, 1 and above
STATUS = ("weights", "saturations", "list_overflows")  # counters looked at behind a sequence, beside the error code


def cut_of(registers: Registers) -> str:
    """Which of CUTS the settings are."""
    cuts = dict(zip(CUTS[1:], (registers.k > 0, registers.p < P_OFF, registers.floor < FLOOR_OFF)))
    found = [name for name, does in cuts.items() if does]
    return found[0] if len(found) == 1 else "several" if found else "nothing"


def warmth_of(registers: Registers) -> str:
    """Which of WARMTH the settings are."""
    plain = Sampling().registers()
    cool = (registers.shift, -registers.scale) < (plain.shift, -plain.scale)
    return "greedy" if registers.greedy else "cool" if cool else "hot"


@dataclass(frozen=True)
class Ended:
    """A finished sequence, for the coverage. wishes: its first prompt beat."""

    model: str
    reason: str
    tokens: int
    wishes: dict


class DecoderPredictor(Predictor):
    """Runs the integer model on the prompts that pass; ConfigDB: MODEL, what the boot stream is to carry.

    `forwards` publishes the taps of every token that the model has run.
    """

    def build_phase(self):
        super().build_phase()
        self.forwards = uvm_analysis_port("forwards", self)
        self.cfg, self.image, self.prompt = self.cdb_get("CFG"), [], []

    def take(self, port, beat):
        if port == "s_boot":
            self.image.append(beat)
            if beat["last"]:
                self._booted()
        else:
            self.prompt.append(beat)
            if beat["last"]:
                self._sequence(self.prompt)
                self.prompt = []

    def _booted(self):
        self.model = self.cdb_get("MODEL")
        assert self.image == self.model.payloads(), "the boot stream carried something else than the model"
        self.image, self.golden, self.counts = [], self.model.golden, Counter()
        self.golden.saturations.count, self.list_overflows = 0, Tally()

    def _forward(self, token, pos, scored):
        taps = {}
        logits = self.golden.forward(token, pos, taps, scored)
        self.counts["weights"] += self.golden.shape.beats(self.cfg.lanes, classifier=scored)
        self.forwards.write((token, taps))
        return logits

    def _sequence(self, prompt):
        """What is to come for the beats of a prompt."""
        shape, entries, wishes = self.golden.shape, self.cfg.list_entries, prompt[0]
        choose = Sampler(Registers.among(wishes), bool(wishes["logprobs"]), entries, self.list_overflows)
        for beat in answered(prompt, entries, shape.vocab_size, shape.seq_len, self._forward, choose):
            self.predict("m_token", fields(beat, 0))
        reason = reason_of(beat, len(prompt), wishes, entries)
        status = dict(error=ERRORS.get(reason, errors.NONE), weights=self.counts["weights"])
        tallies = dict(saturations=self.golden.saturations.count, list_overflows=self.list_overflows.count)
        self.predict("status", status | tallies)
        self.transactions.write(Ended(self.model.get_name(), reason, len(prompt), wishes))


class StatusMonitor(CounterMonitor):
    """Publishes error code and counters of the one engine as they stand behind a sequence."""

    NAMES, SELECT, VALUE = STATUS, "counter_select", "counter_value"

    async def read(self):
        self.scope.counter_station.value = 0
        await super().read(error=int(self.scope.error.value))


class DecoderCoverage(Coverage):
    """ConfigDB: MODELS, names of the models that the test promises."""

    def grids(self):
        models = self.cdb_get("MODELS")
        yield Grid("sequences", model=models, end=REASONS, prompt=LENGTHS,
                   ignore=lambda model, end, prompt: impossible(end, prompt))  # fmt: skip
        yield Grid("traffic", model=models, traffic=TRAFFIC)
        yield Grid("settings", warmth=WARMTH, cut=CUTS, logprobs=(0, 1))
        yield Grid("own limits", stops=range(MORE_STOPS + 1), new_tokens=("none", "some"))

    def write(self, ended: Ended):
        self.grid["sequences"].sample(model=ended.model, end=ended.reason, prompt=length_bin(ended.tokens))
        self.grid["traffic"].sample(model=ended.model, traffic=self.parent.level)
        wishes, registers = ended.wishes, Registers.among(ended.wishes)
        if ended.reason != UNSET:
            warmth, cut = warmth_of(registers), cut_of(registers)
            self.grid["settings"].sample(warmth=warmth, cut=cut, logprobs=wishes["logprobs"])
        limit = "some" if wishes["new_tokens"] else "none"
        self.grid["own limits"].sample(stops=wishes["stops"], new_tokens=limit)


class DecoderEnv(BlockEnv):
    PREDICTOR, COVERAGE, QUIET = DecoderPredictor, DecoderCoverage, 4000
    MONITORS = dict(status=StatusMonitor)

    def streams(self):
        return streams_of(ports(self.cdb_get("CFG")))

    def build_phase(self):
        super().build_phase()
        self.set(clear=0)
