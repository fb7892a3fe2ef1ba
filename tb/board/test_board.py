"""The whole board in Verilator, bit by bit on its serial line: boot, stories, counters, errors, damaged frames."""

from dataclasses import replace

import pytest

from llama2_myhdl.rtl.board.leds import LIGHTS
from llama2_myhdl.rtl.decoder import stations
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec import errors, link
from llama2_myhdl.spec.counters import COUNTERS
from llama2_myhdl.spec.link import on_board, packed, unpacked
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.sequence import Beat, Request
from tb.board.line import frame, frames
from tb.board.simulated import BAUD, CLOCK_HZ, DIGEST, SimulatedBoard
from tb.sim.models import BUILD as SEVERAL
from tb.sim.models import SHAPE, random_model

pytestmark = pytest.mark.skipif("verilator" not in SIMULATORS, reason="Verilator compiles the library")

BUILD = on_board(preset("nano").build)
PROMPT = [1, 7, 12]


class Host:
    """The plainest host: one frame, then its answer."""

    def __init__(self, board):
        self.board, self.number, self.news, self._read = board, 0, [], 0

    def events(self, cycles):
        """(kind, number, fields) of the frames that the board has sent since the last call."""
        self.board.listen(cycles)
        sent = self.board.sent
        end = sent.rfind(link.END) + 1  # only whole frames
        if bytes(sent[self._read : end]).count(link.END) % 2:
            end = sent.rfind(link.END, 0, end - 1) + 1
        found = frames(bytes(sent[self._read : end]))
        self._read = max(end, self._read)
        return [(one[0], one[1], unpacked(one[0], one[2:])) for one in found]

    def wait(self, kinds, cycles=400_000):
        """The next event of these kinds; what else comes is kept as news."""
        step = 8 * self.board.byte_cycles
        for _ in range(0, cycles, step):
            events = self.events(step)
            for place, event in enumerate(events):
                if event[0] in kinds:
                    self.news += events[:place] + events[place + 1 :]
                    return event
            self.news += events
        raise AssertionError(f"no event of {kinds}, only {self.news}")

    def ask(self, kind, body=None, number=None, **fields):
        """The answer to a frame with the next number: its fields, and the number that is waited for."""
        number = self.number if number is None else number
        self.board.send(frame(bytes([kind, number]) + (packed(kind, **fields) if body is None else body)))
        _, waited, answer = self.wait((link.ANSWER, link.VALUE, link.GREETING))
        self.number = waited
        return answer

    def load(self, tape):
        assert self.ask(link.BEGIN)["reason"] == link.DONE
        image, size = tape.beats.tobytes(), link.BLOCK_BYTES
        for at in range(0, len(image), size):
            kind = link.IMAGE if at + size < len(image) else link.IMAGE_END
            assert self.ask(kind, body=image[at : at + size])["reason"] == link.DONE

    def prompt(self, token, steps, seq, last):
        assert self.ask(link.PROMPT, token=token, steps=steps, seq=seq, score=0, last=last)["reason"] == link.DONE

    def beats(self, sequences):
        """The beats of each of so many sequences that are running, by slot."""
        told = {seq: [] for seq in sequences}
        while not all(beats and beats[-1].last for beats in told.values()):
            tokens = [event for event in self.news if event[0] == link.TOKEN] or [self.wait((link.TOKEN,))]
            self.news = [event for event in self.news if event[0] != link.TOKEN]
            for _, _, f in tokens:
                beat = Beat(f["token"], f["pos"], bool(f["scored"]), bool(f["sampled"]), f["stop"])
                assert beat.last == bool(f["last"])
                told[f["seq"]].append(beat)
        return told

    def tell(self, prompt, steps):
        """The beats of a story that runs alone."""
        self.news.clear()
        for k, token in enumerate(prompt):
            self.prompt(token, steps, 0, int(k == len(prompt) - 1))
        return self.beats([0])[0]


@pytest.fixture(scope="module")
def board():
    with SimulatedBoard(BUILD) as device:
        yield device


@pytest.fixture
def host(board):
    board.reset()
    return Host(board)


@pytest.fixture(scope="module")
def model():
    return random_model(3, BUILD)


def test_it_greets_and_says_what_it_is(host):
    """Whatever number the first frame has, and even behind half a frame."""
    host.board.send(frame(bytes([link.HELLO, 77]) + bytes(8))[:7])
    host.board.send(frame(bytes([link.HELLO, 200]) + bytes(8)))
    _, number, greeting = host.wait((link.GREETING,))
    assert number == 201 and [kind for kind, _, _ in host.news] == [link.ANSWER]
    assert greeting == dict(version=link.VERSION, loaded=0, error=0, values=len(link.DESCRIBED), digest=DIGEST)
    host.number = number
    for k, name in enumerate(link.DESCRIBED):
        select = link.LIMITS + k
        answer = host.ask(link.READ, select=select, station=0)
        assert answer == dict(select=select, station=0, value=getattr(BUILD, name))


def test_a_story_is_the_integer_models(host, model):
    fixed, tape = model
    begin = host.board.sim.cycle
    host.load(tape)
    cycles = host.board.sim.cycle - begin
    assert host.wait((link.STATUS,))[2] == dict(loaded=1, error=0)
    for prompt, steps in ((PROMPT, 9), ([1], 0), ([1, 2, 3, 4], 5)):
        assert host.tell(prompt, steps) == list(fixed.decode(Request(tuple(prompt), steps, score=False)))
    counters = {name: host.ask(link.READ, select=k, station=0)["value"] for k, name in enumerate(COUNTERS)}
    run = host.ask(link.READ, select=link.CYCLES, station=0)["value"]
    assert counters["weights"] > 0 and counters["tokens"] > 15
    assert sum(counters[name] for name in COUNTERS[: COUNTERS.index("tokens")]) <= run < host.board.sim.cycle - begin
    assert cycles < 1.4 * tape.beats.size * host.board.byte_cycles  # answers awaited one by one, and all


def test_the_board_keeps_up_with_the_line(host, model):
    """The image at the line's rate, without waiting for answers: every frame is carried out, in its turn."""
    fixed, tape = model
    assert host.ask(link.BEGIN)["reason"] == link.DONE
    image, size = tape.beats.tobytes(), link.BLOCK_BYTES
    blocks = [image[at : at + size] for at in range(0, len(image), size)]
    kinds = [link.IMAGE] * (len(blocks) - 1) + [link.IMAGE_END]
    line = b"".join(frame(bytes([kind, 1 + k]) + block) for k, (kind, block) in enumerate(zip(kinds, blocks)))
    begin = host.board.sim.cycle
    host.board.send(line)
    cycles = host.board.sim.cycle - begin
    answers = [event for event in host.events(20_000) if event[0] == link.ANSWER]
    assert answers == [(link.ANSWER, 2 + k, dict(reason=link.DONE)) for k in range(len(blocks))]
    assert host.ask(link.HELLO)["loaded"] == 1
    assert host.tell(PROMPT, 6) == list(fixed.decode(Request(tuple(PROMPT), 6, score=False)))
    rate = len(image) / cycles * CLOCK_HZ
    print(f"{len(image):,} bytes in {cycles:,} cycles: {rate:,.0f} bytes/s of {BAUD / 10:,.0f}")
    assert rate > 0.9 * BAUD / 10


def test_a_damaged_block_goes_no_further_and_the_load_goes_on_from_it(host, model):
    fixed, tape = model
    image, size = tape.beats.tobytes(), link.BLOCK_BYTES
    blocks = [image[at : at + size] for at in range(0, len(image), size)]
    assert host.ask(link.BEGIN)["reason"] == link.DONE
    for k, block in enumerate(blocks):
        kind = link.IMAGE if k < len(blocks) - 1 else link.IMAGE_END
        if k in (0, 3, len(blocks) - 1):
            line = bytearray(frame(bytes([kind, host.number]) + block))
            line[40 + k] ^= 0x10
            host.board.send(bytes(line))
            waited, answer = host.wait((link.ANSWER,))[1:]
            assert (waited, answer) == (host.number, dict(reason=link.DAMAGED))
            # what was sent behind it is out of its turn
            assert host.ask(kind, body=blocks[0], number=(host.number + 1) % 256) == dict(reason=link.OUT_OF_TURN)
        assert host.ask(kind, body=block) == dict(reason=link.DONE)
    assert host.wait((link.STATUS,))[2] == dict(loaded=1, error=0)
    assert host.tell(PROMPT, 6) == list(fixed.decode(Request(tuple(PROMPT), 6, score=False)))


def test_errors_come_out(host, model):
    """A bad image, prompts without a model, a token out of range, a prompt too long; then a story, and all is well."""
    fixed, tape = model
    prompt = dict(token=1, steps=0, seq=0, score=0, last=1)
    assert host.ask(link.PROMPT, **prompt) == dict(reason=link.NOT_LOADED)
    assert host.ask(link.IMAGE, body=bytes(8)) == dict(reason=link.NOT_LOADING)
    assert host.ask(0x55, body=bytes(8)) == dict(reason=link.MALFORMED)
    assert host.ask(link.BEGIN, body=bytes(3)) == dict(reason=link.MALFORMED)
    for damage, code in (((0, 1), errors.BAD_IMAGE), ((-30, 1), errors.BAD_CHECKSUM)):
        beats = tape.beats.copy()
        beats.reshape(-1)[damage[0]] ^= damage[1]
        host.news.clear()
        host.load(replace(tape, beats=beats))
        host.ask(link.HELLO)
        assert [fields for kind, _, fields in host.news if kind == link.STATUS][-1] == dict(loaded=0, error=code)
        assert host.ask(link.PROMPT, **prompt) == dict(reason=link.NOT_LOADED)
    host.load(tape)
    assert host.ask(link.HELLO)["loaded"] == 1
    for bad, code in (([1, SHAPE.vocab_size], errors.BAD_TOKEN), ([3] * (SHAPE.seq_len + 1), errors.TOO_LONG)):
        beats = host.tell(bad, 0)
        assert beats == list(fixed.decode(Request(tuple(bad), 0, score=False)))
        greeting = host.ask(link.HELLO)
        assert (greeting["error"], greeting["loaded"]) == (code, 1)
        assert dict(loaded=1, error=code) in [fields for kind, _, fields in host.news if kind == link.STATUS]
        assert host.ask(link.CLEAR) == dict(reason=link.DONE)
        assert host.ask(link.HELLO)["error"] == errors.NONE
    assert host.tell(PROMPT, 6) == list(fixed.decode(Request(tuple(PROMPT), 6, score=False)))


def test_the_lights_follow(host, model):
    _, tape = model

    def lit():
        value = host.board.sim.get("led")
        return {name for k, name in enumerate(LIGHTS) if value >> k & 1}

    assert lit() - {"alive"} == set()
    assert host.ask(link.BEGIN)["reason"] == link.DONE
    assert "loading" in lit()
    host.board.send(frame(b"\x03\x01damaged")[:-3] + bytes([0, 0, link.END]))
    host.board.listen(host.board.byte_cycles)  # the link's way to the light
    assert {"loading", "damaged", "received"} <= lit()
    host.wait((link.ANSWER,))
    host.load(tape)
    assert {"loaded"} <= lit() and "loading" not in lit()


def test_several_engines_and_sequences():
    """Prompts of three slots in turn; each story is what it is alone, and every station's counters are read."""
    build = on_board(replace(SEVERAL, engines=2))
    fixed, tape = random_model(5, build)
    prompts = {0: (1, 7, 12), 2: (1, 3, 4, 5), 3: (1,)}
    with SimulatedBoard(build) as device:
        host = Host(device)
        host.load(tape)
        host.news.clear()
        for k in range(4):
            for seq, prompt in prompts.items():
                if k < len(prompt):
                    host.prompt(prompt[k], 8, seq, int(k == len(prompt) - 1))
        told = host.beats(prompts)
        for seq, prompt in prompts.items():
            assert told[seq] == list(fixed.decode(Request(prompt, 8, score=False)))
        weights = COUNTERS.index("weights")
        counts = [host.ask(link.READ, select=weights, station=k)["value"] for k in range(stations(build))]
        positions = [beat.scored for story in told.values() for beat in story]
        layers = SHAPE.beats(build.lanes, classifier=False)
        head = SHAPE.beats(build.lanes) - layers
        assert counts == [*[len(positions) * layers // SHAPE.n_layers] * 2, sum(positions) * head]
        assert sum(positions) < len(positions)
