"""The decode loop's environment: prompts and the layers' answers in, requests, orders, token beats and errors out."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from cocotb.queue import Queue
from pyuvm import uvm_analysis_port, uvm_component, uvm_subscriber

from llama2_myhdl.golden.fixed.sampler import Draw
from llama2_myhdl.rtl.decode.decode_loop import ports
from llama2_myhdl.rtl.decode.orders import in_flight
from llama2_myhdl.rtl.sampling.settings import Settings
from llama2_myhdl.sim.clock import at_every_edge
from llama2_myhdl.sim.streams import reader
from llama2_myhdl.spec.errors import NONE
from llama2_myhdl.spec.sequence import Beat, Request
from llama2_myhdl.spec.stops import MORE_STOPS, STOP_ERROR, STOP_STEPS, STOP_TOKEN
from tb.decode.ends import ERRORS, LENGTHS, REASONS, impossible, length_bin, reason_of
from tb.decode.loop_bench import CONTEXT, STOPS, VOCAB
from tb.decoder.loop_model import answered, fields, request_of
from tb.uvm.coverage import Coverage
from tb.uvm.env import TRAFFIC, BlockEnv, streams_of
from tb.uvm.grid import Grid
from tb.uvm.predictor import Predictor
from tb.uvm.scoreboard import Mismatch, Scoreboard

QUICK, SLOW = PACES = ("at once", "one by one")  # how the layers answer
OWN = tuple(f"own stop {k}" for k in range(MORE_STOPS))
LIMITS = ("stop_a", "stop_b", *OWN, "steps", "new tokens", "both")  # what ends a sequence, of the reasons with several
NEXT = ("waiting", "later")  # the next sequence of a slot, when the one before it ends
NAMES = {NONE: "none"} | {code: name for name, code in ERRORS.items()}
CLEARED = ("nothing", "an error", "an error that comes")
SETTINGS = tuple(Settings().types())
ROOM_LEFT = 4  # requests that may still pass when the layers hold the port


def limit_of(request: Request, beat: Beat) -> str | None:
    """Which of LIMITS ended a sequence whose last beat this is; None for another reason."""
    if beat.stop == STOP_TOKEN:
        return LIMITS[STOPS.index(beat.token)] if beat.token in STOPS else OWN[request.stops.index(beat.token)]
    if beat.stop == STOP_STEPS and beat.sampled:
        steps, count = beat.pos + 1 == request.steps, beat.pos + 2 - len(request.prompt) == request.new_tokens
        return "both" if steps and count else "steps" if steps else "new tokens"
    return None


@dataclass(frozen=True)
class Ended:
    """A finished sequence. tokens: of its prompt; others: slots that were under way besides."""

    reason: str
    limit: str | None
    tokens: int
    others: int


@dataclass(frozen=True)
class Followed:
    """A sequence in the slot of one that ended for `reason`; next: one of NEXT."""

    reason: str
    next: str


@dataclass(frozen=True)
class Answered:
    """An answer came while so many slots were under way."""

    running: int


@dataclass(frozen=True)
class Fault:
    """An error code came; standing: the one before it."""

    standing: int
    code: int


@dataclass(frozen=True)
class Cleared:
    """One of CLEARED met `clear`."""

    what: str


@dataclass
class Slot:
    """What has passed of a slot. beats: of a prompt that is not over; prompts: whole ones; story: the running one."""

    beats: list = field(default_factory=list)
    prompts: deque = field(default_factory=deque)
    answers: deque = field(default_factory=deque)
    story: Iterator | None = None
    ended: str | None = None  # why the last one did, while nothing has followed
    ends: int = 0  # so far

    @property
    def waits(self) -> bool:
        """Something of the next sequence is there."""
        return bool(self.beats or self.prompts)

    @property
    def under_way(self) -> bool:
        return self.waits or self.story is not None


class LoopPredictor(Predictor):
    """Runs the decode model of each slot's sequences on the answers of the layers.

    A prompt's answers wait until all of it has passed: the model is given prompts as a whole.
    """

    def build_phase(self):
        super().build_phase()
        self.cfg = self.cdb_get("CFG")
        self.slots = [Slot() for _ in range(self.cfg.sequences)]

    def take(self, port, beat):
        slot = self.slots[beat["seq"]]
        if port == "s_prompt":
            if slot.ended:
                self.transactions.write(Followed(slot.ended, "later"))
                slot.ended = None
            slot.beats.append(beat)
            if beat["last"]:
                slot.prompts.append(slot.beats)
                slot.beats = []
        else:
            slot.answers.append(beat)
            running = sum(slot.under_way for slot in self.slots)
            if running:  # else nobody has asked: the scoreboards tell
                self.transactions.write(Answered(running))
        while slot.answers and (slot.story or slot.prompts):
            if slot.story is None:
                slot.story = self._story(slot, slot.prompts.popleft())
            next(slot.story)

    def _story(self, slot, prompt):
        """A step for each answer."""
        seq, entries = prompt[0]["seq"], self.cfg.list_entries

        def forward(token, pos, scored):
            self.predict("m_request", dict(token=token, seq=seq, pos=pos, scored=scored))
            if self.parent.pace == SLOW:
                given = pos + 1 < len(prompt)
                settings = {name: prompt[0][name] for name in SETTINGS}
                target = prompt[pos]["target"] if given else None
                self.predict("order", dict(seq=seq, given=given, target=target, **settings))
            self.answer = slot.answers.popleft()

        def choose(logits, pos, following):
            return Draw(self.answer["token"], self.answer["logprob"])

        for beat in answered(prompt, entries, VOCAB, CONTEXT, forward, choose, STOPS):
            self.predict("m_token", fields(beat, seq))
            if beat.last:
                self._end(slot, prompt, beat)
            yield

    def _end(self, slot, prompt, beat):
        reason = reason_of(beat, len(prompt), prompt[0], self.cfg.list_entries)
        if reason in ERRORS:
            self.predict("error", dict(seq=prompt[0]["seq"], code=ERRORS[reason]))
        slot.story, slot.ends = None, slot.ends + 1
        others = sum(other.under_way for other in self.slots if other is not slot)
        self.transactions.write(Ended(reason, limit_of(request_of(prompt), beat), len(prompt), others))
        if slot.waits:
            self.transactions.write(Followed(reason, "waiting"))
        else:
            slot.ended = reason


class Layers(uvm_component):
    """What stands behind the loop: keeps the requests that pass until they are answered, so many and no more."""

    def build_phase(self):
        self.export = uvm_subscriber.uvm_AnalysisImp("export", self, self.take)
        self.answered = uvm_subscriber.uvm_AnalysisImp("answered", self, self.give)
        self.requests, self.under_way, self.full = Queue(), 0, False
        self.most = in_flight(self.cdb_get("CFG")) - ROOM_LEFT

    def take(self, request):
        self.requests.put_nowait(request)
        self._count(1)

    def give(self, answer):
        self._count(-1)

    def _count(self, more):
        self.under_way += more
        if self.full != (self.under_way >= self.most):
            self.full = not self.full
            self.parent.agents["m_request"].pause(1.0 if self.full else TRAFFIC[self.parent.level][1])


class OrderMonitor(uvm_component):
    """Publishes the order that stands there when an answer passes; of slow layers, so that it has come to rest."""

    def build_phase(self):
        self.ap, scope = uvm_analysis_port("ap", self), self.cdb_get("SCOPE")
        self.export = uvm_subscriber.uvm_AnalysisImp("export", self, self.look)
        pins = {name: f"settings_{name}" for name in SETTINGS} | {name: name for name in ("given", "target")}
        self.pins = {name: reader(getattr(scope, f"order_{pin}")) for name, pin in pins.items()}

    def look(self, answer):
        if self.parent.pace == SLOW:
            order = {name: int(read(), 2) for name, read in self.pins.items()}
            if not order["given"]:
                order["target"] = None  # of no account
            self.ap.write(dict(seq=answer["seq"], **order))


class ErrorWatch(uvm_component):
    """Follows `error`, cycle by cycle: a code comes with a beat that ends in an error and stands until `clear`.

    Publishes the codes that come; events: what the coverage wants to know of them.
    """

    def build_phase(self):
        self.ap, self.events = uvm_analysis_port("ap", self), uvm_analysis_port("events", self)
        scope, self.wrong = self.cdb_get("SCOPE"), 0
        self.clk = scope.clk
        pins = {name: getattr(scope, f"m_token_{name}") for name in ("valid", "ready", "seq", "stop")}
        pins |= dict(rst=scope.rst, clear=scope.clear, error=scope.error)
        self.pins = {name: reader(pin) for name, pin in pins.items()}
        self._forget()

    async def run_phase(self):
        at_every_edge(self.clk, self._step)

    def _forget(self):
        self._fresh, self._standing, self._clear = True, NONE, False

    def _step(self):
        now = {name: read() for name, read in self.pins.items()}
        if now["rst"] != "0":
            self._forget()
            return
        comes = self._fresh and now["valid"] == "1" and int(now["stop"], 2) == STOP_ERROR
        code = int(now["error"], 2)
        if comes:
            self.ap.write(dict(seq=int(now["seq"], 2), code=code))
            self.events.write(Fault(self._standing, code))
        else:
            self.wrong += code != self.behind(self._standing, self._clear)
        if self._clear:
            self.events.write(Cleared(CLEARED[2 if comes else self._standing != NONE]))
        self._standing, self._clear = code, now["clear"] == "1"
        self._fresh = now["valid"] == "0" or now["ready"] == "1"

    def behind(self, standing, clear):
        """The code a cycle later, when none comes."""
        return NONE if clear else standing

    def check_phase(self):
        if self.wrong:
            raise Mismatch(f"{self.get_full_name()}: `error` is not what it was in {self.wrong} cycles")


class LoopCoverage(Coverage):
    def grids(self):
        slots = self.cdb_get("CFG").sequences
        yield Grid("sequences", end=REASONS, prompt=LENGTHS, others=range(slots),
                   ignore=lambda end, prompt, others: impossible(end, prompt))  # fmt: skip
        yield Grid("traffic", end=REASONS, traffic=TRAFFIC)
        yield Grid("limits", by=LIMITS)
        yield Grid("slot again", end=REASONS, next=NEXT)
        yield Grid("side by side", running=range(1, slots + 1), layers=PACES, traffic=TRAFFIC)
        yield Grid("errors", standing=NAMES.values(), comes=ERRORS)
        yield Grid("clear", meets=CLEARED)

    def write(self, seen):
        level = self.parent.level
        match seen:
            case Ended(reason, limit, tokens, others):
                self.grid["sequences"].sample(end=reason, prompt=length_bin(tokens), others=others)
                self.grid["traffic"].sample(end=reason, traffic=level)
                if limit:
                    self.grid["limits"].sample(by=limit)
            case Followed(reason, following):
                self.grid["slot again"].sample(end=reason, next=following)
            case Answered(running):
                self.grid["side by side"].sample(running=running, layers=self.parent.pace, traffic=level)
            case Fault(standing, code):
                self.grid["errors"].sample(standing=NAMES[standing], comes=NAMES[code])
            case Cleared(what):
                self.grid["clear"].sample(meets=what)


class SlotScoreboard(Scoreboard):
    SERIES = "seq"


class LoopEnv(BlockEnv):
    """pace: how the layers answer from now on, one of PACES."""

    PREDICTOR, COVERAGE, SCOREBOARD, QUIET = LoopPredictor, LoopCoverage, SlotScoreboard, 200
    MONITORS = dict(order=OrderMonitor, error=ErrorWatch)

    def streams(self):
        return streams_of(ports(self.cdb_get("CFG")))

    def build_phase(self):
        super().build_phase()
        self.pace = QUICK
        self.set(enable=1, clear=0, vocab_size=VOCAB, seq_len=CONTEXT, stop_a=STOPS[0], stop_b=STOPS[1])
        self.layers = Layers.create("layers", self)

    def connect_phase(self):
        super().connect_phase()
        self.agents["m_request"].ap.connect(self.layers.export)
        self.agents["s_prediction"].ap.connect(self.layers.answered)
        self.agents["s_prediction"].ap.connect(self.monitors["order"].export)
        self.monitors["error"].events.connect(self.coverage.analysis_export)
