"""Work for the decode loop: sequences that are made to end in a way, and what the layers answer to them."""

from collections import Counter, deque
from itertools import cycle, product

import cocotb
from cocotb.triggers import ClockCycles
from pyuvm import uvm_object, uvm_sequence

from llama2_myhdl.golden.fixed.sampler import Draw
from llama2_myhdl.rtl.decode.orders import LATENCY as ORDER_LATENCY
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.stops import MORE_STOPS
from tb.decode.ends import CUT, ERRORS, LENGTHS, REASONS, UNSET, impossible, reason_of
from tb.decode.loop_bench import BUILD, CONTEXT, FAULTS, LIMITED, SETTINGS, STOPS, VOCAB, prompt_beats
from tb.decode.uvm_env import LIMITS, NEXT, OWN, PACES, SLOW
from tb.decoder.loop_model import answered
from tb.uvm.block_test import BlockSequence
from tb.uvm.env import TRAFFIC
from tb.uvm.item import Burst

ENDS = [(reason, length) for reason, length in product(REASONS, LENGTHS) if not impossible(reason, length)]
LASTING = [end for end in ENDS if end[0] in ("stop token", "steps", "context") and end[1] != "one"]  # not in the prompt
WAYS = {"stop token": LIMITS[: 2 + MORE_STOPS], "steps": LIMITS[2 + MORE_STOPS :]}
CROWD = 2  # sequences a slot


class Story(uvm_object):
    """A sequence: the beats of its prompt, the layers' answer at each position, and `count`, the beats it must get."""

    def randomize(self, rng, seq, reason, length, way):
        """way: which of WAYS[reason] ends it, where there are some."""
        self.rng, self.reason = rng, reason
        tokens = self._length(length)
        # its last position, where its end leaves a choice
        last = rng.randrange(tokens - 1, CONTEXT) if reason in WAYS else CONTEXT - 1
        own = rng.sample([token for token in range(VOCAB) if token not in STOPS], MORE_STOPS)
        stops = rng.randint(OWN.index(way) + 1 if way in OWN else 0, MORE_STOPS)  # those of `own` that count
        wishes = {f"stop_{k}": token for k, token in enumerate(own)} | dict(stops=stops)
        wishes |= {name: rng.getrandbits(bits) for name, bits in SETTINGS.items()}
        wishes |= {name: rng.randint(*limits) for name, limits in LIMITED.items()}
        wishes |= dict(new_tokens=self._beyond(last - tokens + 2, way in ("new tokens", "both")))
        steps = self._beyond(last + 1, way in ("steps", "both"))
        prompt = [rng.randrange(VOCAB) for _ in range(tokens)]
        if reason == CUT:
            steps = rng.randrange(1, tokens)
        elif reason == "token out of range":
            prompt[rng.randrange(tokens)] = rng.randrange(VOCAB, 1 << BUILD.token_bits)
        elif reason == UNSET:
            name = rng.choice(list(FAULTS))
            wishes[name] = rng.choice(FAULTS[name])
        self.beats = list(prompt_beats(seq, (prompt, steps, rng.randrange(2), wishes), rng))
        self.answers = [self._answer(pos < tokens - 1, {*STOPS, *own[:stops]}) for pos in range(CONTEXT)]
        if way in WAYS["stop token"]:
            self.answers[last]["token"] = (*STOPS, *own)[LIMITS.index(way)]
        self._run(tokens)

    def _length(self, length):
        """Prompt tokens."""
        if self.reason == "prompt too long":
            return CONTEXT + self.rng.randint(1, 4)
        return {"one": 1, "few": self.rng.randint(2, 3), "many": self.rng.randint(4, CONTEXT)}[length]

    def _beyond(self, count, ends):
        """A limit that ends at `count`, or none, or one that comes later."""
        return count if ends else self.rng.choice((0, count + self.rng.randint(1, CONTEXT)))

    def _answer(self, prompted, stops):
        """Anything at a prompt's position before its last, where nothing is sampled; else no stop token."""
        choice = [token for token in range(VOCAB) if prompted or token not in stops]
        logprob = -self.rng.getrandbits(F_BITS - 1) if self.beats[0]["logprobs"] else 0
        return dict(token=self.rng.choice(choice), logprob=logprob)

    def _run(self, tokens):
        """Sets `count` by the decode model, which must end as it should."""
        def choose(logits, pos, following):
            return Draw(**self.answers[pos])

        beats = list(answered(self.beats, BUILD.list_entries, VOCAB, CONTEXT, lambda *asked: None, choose, STOPS))
        self.count, reason = len(beats), reason_of(beats[-1], tokens, self.beats[0], BUILD.list_entries)
        assert reason == self.reason, f"a sequence that should end with {self.reason!r} ends with {reason!r}"


class Answers(uvm_sequence):
    """The layers' part: each request is answered in its turn as its story says, as soon as `gate` says so."""

    def __init__(self, name="answers", env=None, stories=None):
        super().__init__(name)
        self.env, self.stories, self.current, self.gate = env, stories, {}, lambda: True

    async def body(self):
        answers, clk = self.env.agents["s_prediction"], self.env.scope.clk
        sent = 0
        while True:
            request = await self.env.layers.requests.get()
            seq, pos = request["seq"], request["pos"]
            if pos == 0:
                self.current[seq] = self.stories[seq].popleft()
            while not self.gate() or (self.env.pace == SLOW and answers.received < sent):
                await ClockCycles(clk, 1)
            if self.env.pace == SLOW:
                await ClockCycles(clk, ORDER_LATENCY + 1)
            burst = Burst.create("answer")
            burst.payloads = [request | self.current[seq].answers[pos]]
            await self.start_item(burst)
            await self.finish_item(burst)
            sent += 1


class LoopWork(BlockSequence):
    """Every end beside every number of other sequences; every slot again after every end; errors; all slots at once."""

    async def body(self):
        env = self.env
        self.slots = range(env.cdb_get("CFG").sequences)
        self.stories, self.given = {seq: deque() for seq in self.slots}, Counter()
        self.ways = {reason: cycle(ways) for reason, ways in WAYS.items()}
        self.answers = Answers("answers", env, self.stories)
        env.traffic("free")
        cocotb.start_soon(self.answers.start(env.agents["s_prediction"].sequencer))
        await self.work()

    async def work(self):
        await self.ends()
        await self.slots_again()
        await self.errors()
        await self.crowds()

    def story(self, seq, reason, length):
        """A story, promised."""
        story = Story.create("story")
        story.randomize(self.rng, seq, reason, length, next(self.ways[reason]) if reason in WAYS else None)
        self.stories[seq].append(story)
        self.given[seq] += 1
        ordered = story.count if self.env.pace == SLOW else 0
        self.env.promise(m_request=story.count, m_token=story.count, order=ordered, error=int(reason in ERRORS))
        return story

    def merged(self, *series):
        """Their beats, those of a series in order."""
        series, beats = [deque(part) for part in series if part], []
        while series:
            part = self.rng.choice(series)
            beats.append(part.popleft())
            series = [part for part in series if part]
        return beats

    async def send(self, beats):
        await self.env.feed(s_prompt=[beats])

    async def ended(self, seq):
        """All stories of a slot have."""
        await self.env.until(lambda: self.env.predictor.slots[seq].ends == self.given[seq])

    async def ends(self):
        """As often as there are levels of traffic, so that every end meets each of them."""
        levels = tuple(TRAFFIC)
        rounds = [(end, levels[(n + k) % len(levels)], k % len(self.slots))
                  for n, end in enumerate(ENDS) for k in range(len(levels))]  # fmt: skip
        self.rng.shuffle(rounds)
        for end, level, others in rounds:
            self.env.traffic(level)
            self.env.pace = self.rng.choice(PACES)
            await self.beside(end, others)
            if self.rng.random() < 0.5:
                await self.clear()

    async def beside(self, end, others):
        """A sequence that ends while so many others wait for the last token of their prompts."""
        seq, *rest = self.rng.sample(self.slots, others + 1)
        target = self.story(seq, *end)
        prompts = [self.story(slot, *self.rng.choice(LASTING)).beats for slot in rest]
        cuts = [self.rng.randrange(1, len(prompt)) for prompt in prompts]
        begun = self.merged(*([prompt[0]] for prompt in prompts))
        await self.send(begun + self.merged(target.beats, *(p[1:cut] for p, cut in zip(prompts, cuts))))
        await self.ended(seq)
        await self.send(self.merged(*(prompt[cut:] for prompt, cut in zip(prompts, cuts))))
        await self.env.settled()

    async def slots_again(self):
        """After every end: the next sequence's first token has been waiting for it, or comes later."""
        for reason, following in product(REASONS, NEXT):
            self.env.traffic(self.rng.choice(tuple(TRAFFIC)))
            self.env.pace, seq = self.rng.choice(PACES), self.rng.choice(self.slots)
            length = self.rng.choice([length for end, length in ENDS if end == reason])
            first = self.story(seq, reason, length).beats
            if following == "waiting":
                self.hold(len(first) + 1)
            else:
                await self.send(first)
                await self.ended(seq)
                first = []
            await self.send(first + self.story(seq, *self.rng.choice(ENDS)).beats)
            await self.env.settled()

    def hold(self, beats):
        """No answers until so many more beats of prompts have passed."""
        prompts = self.env.agents["s_prompt"]
        awaited = prompts.received + beats
        self.answers.gate = lambda: prompts.received >= awaited

    async def errors(self):
        """Every error over every other one; `clear` behind them, behind nothing, and while one comes."""
        self.env.traffic("free")
        for before, comes in product(ERRORS, ERRORS):
            for reason in (before, comes):
                await self.beside((reason, "many"), 0)
            await self.clear()
        await self.clear()
        self.env.set(clear=1)
        for reason in ERRORS:
            await self.beside((reason, "many"), 0)
        self.env.set(clear=0)

    async def clear(self):
        self.env.set(clear=1)
        await ClockCycles(self.env.scope.clk, 1)
        self.env.set(clear=0)
        await ClockCycles(self.env.scope.clk, 2)

    async def crowds(self):
        """All slots begin before the first answer, so that all of them are under way, then one less each time."""
        for level, pace in product(TRAFFIC, PACES):
            self.env.traffic(level)
            self.env.pace = pace
            prompts = []
            for seq in self.slots:
                stories = [self.story(seq, *self.rng.choice(ENDS)) for _ in range(CROWD)]
                prompts.append([beat for story in stories for beat in story.beats])
            self.hold(len(prompts))
            begun = self.merged(*(beats[:1] for beats in prompts))
            await self.send(begun + self.merged(*(beats[1:] for beats in prompts)))
            await self.env.settled()
