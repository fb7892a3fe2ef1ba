"""`make board`: the host's program through a pseudo-terminal and the line's bits to the simulated board and back."""

import os
import random
import threading
import tty

import pytest

from llama2_myhdl.host import board, framing
from llama2_myhdl.host.board_client import Board
from llama2_myhdl.host.link import RETRIES, Link, Pace
from llama2_myhdl.host.serial_port import BoardError
from llama2_myhdl.readers.checkpoint import random_checkpoint, write_checkpoint
from llama2_myhdl.readers.tokenizer import write_tokenizer
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec import link
from llama2_myhdl.spec.link import packed
from llama2_myhdl.spec.presets import preset
from tb.board import line
from tb.board.simulated import Bridge, SimulatedBoard
from tb.host.test_front_door import PIECES

BUILD, SHAPE = preset("nano").build, preset("nano").shape
CLOCK_HZ, BAUD = 24_000_000, 3_000_000  # 8 cycles a bit: the bytes come as close to each other as they ever may
COUNT = len(link.DESCRIBED)
PATIENT = ["--seconds", "60"]  # the simulation is much slower than a board
IN_A_HURRY = Pace(seconds=0.05, quiet=0.01)  # of boards that answer at once
verilator = pytest.mark.skipif("verilator" not in SIMULATORS, reason="Verilator compiles the library")


@pytest.fixture(scope="module")
def nano(tmp_path_factory):
    """Options for a random model that nano's build holds."""
    folder = tmp_path_factory.mktemp("nano")
    write_checkpoint(random_checkpoint(SHAPE, seed=21), folder / "model.bin")
    write_tokenizer(PIECES, [float(len(piece)) for piece in PIECES], folder / "tokenizer.bin")
    return ["--model", str(folder / "model.bin"), "--tokenizer", str(folder / "tokenizer.bin")]


@pytest.fixture(scope="module")
def hi(nano):
    """The same with a prompt."""
    return [*nano, "--prompt", "hi"]


def one_line(capfd, status, *arguments) -> str:
    """The line that the command ends with, and its exit status."""
    assert board.main(list(arguments)) == status
    return capfd.readouterr().err.splitlines()[-1]


# --- frames ---


def test_frames_are_those_of_the_model():
    rng, deframer, sent = random.Random(1), framing.Deframer(), b""
    contents = [bytes(rng.choice((0x7D, 0x7E, 0x5D, 0x5E, rng.randrange(256))) for _ in range(size))
                for size in (*range(2, 40), 258)]  # fmt: skip
    for content in contents:
        assert framing.framed(content) == line.frame(content)
        sent += framing.framed(content)
    found = []
    while sent:
        size = rng.randrange(1, 30)
        found += deframer.feed(sent[:size])
        sent = sent[size:]
    assert found == contents


def test_a_damaged_frame_is_told_and_the_next_one_found():
    good = framing.framed(b"content")
    for place in range(1, len(good) - 1):
        for bit in range(8):
            bad = bytearray(good)
            bad[place] ^= 1 << bit
            found = framing.Deframer().feed(bytes(bad) + good)
            assert found[-1] == b"content" and set(found[:-1]) == {None}
        found = framing.Deframer().feed(good[:place] + good)
        assert found[-1] == b"content" and set(found[:-1]) <= {None}


# --- the link, with boards that only pretend ---


class Pretended:
    """A port whose board answers each whole frame with what `answer(kind, number, body)` gives: contents of frames."""

    def __init__(self, answer):
        self._answer, self._deframer, self._out = answer, framing.Deframer(), bytearray()
        self.frames = []

    @property
    def in_waiting(self):
        return len(self._out)

    def write(self, data):
        for content in self._deframer.feed(bytes(data)):
            self.frames.append(content)
            for reply in self._answer(content[0], content[1], content[2:]):
                self._out += reply if isinstance(reply, bytearray) else framing.framed(reply)

    def read(self, size):
        data, self._out = bytes(self._out[:size]), self._out[size:]
        return data

    def reset_input_buffer(self):
        self._out.clear()


def reply(kind, number, **fields):
    return bytes([kind, number % 256]) + packed(kind, **fields)


def greeting(number, version=link.VERSION, values=COUNT, loaded=1, error=0):
    fields = dict(version=version, loaded=loaded, error=error, values=values, digest=0)
    return reply(link.GREETING, number + 1, **fields)


class Turns:
    """Carries out what is in turn. loses(n): what becomes of the n-th frame, a reason to refuse it, "way" or None;
    loses(-n): whether its answer is damaged."""

    def __init__(self, loses):
        self.due, self.count, self.done, self._loses = 0, 0, [], loses

    def __call__(self, kind, number, body):
        self.count += 1
        lost = self._loses(self.count)
        if lost == "way":
            return []
        if kind == link.HELLO:
            self.due = number + 1
            return [greeting(number)]
        if lost is not None:
            return [reply(link.ANSWER, self.due, reason=lost)]
        if number != self.due % 256:
            return [reply(link.ANSWER, self.due, reason=link.OUT_OF_TURN)]
        self.due += 1
        self.done.append(body)
        answer = reply(link.ANSWER, self.due, reason=link.DONE)
        if not self._loses(-self.count):
            return [answer]
        damaged = bytearray(framing.framed(answer))
        damaged[4] ^= 1
        return [damaged]


def blocks(count):
    return [(link.IMAGE, k.to_bytes(4, "little")) for k in range(count)]


@pytest.mark.parametrize("window", [1, 8, 64])
@pytest.mark.parametrize(
    "loses",
    [
        lambda n: None,
        lambda n: link.DAMAGED if n > 0 and n % 37 == 5 else None,
        lambda n: "way" if n > 0 and n % 53 == 7 else None,
        lambda n: n < 0 and n % 29 == 3,
    ],
    ids=["good", "damaged", "lost", "answer damaged"],
)
def test_every_frame_is_carried_out_once_and_in_order(window, loses):
    turns = Turns(lambda n: loses(n) or None)
    port = Pretended(turns)
    talk, progress = Link(port, IN_A_HURRY), []
    talk.hello()
    answers = talk.perform(blocks(700), window, progress.append)
    assert turns.done == [body for _, body in blocks(700)]
    assert len(answers) == 700 and progress == sorted(progress) and progress[-1] == 700
    talk.perform(blocks(3), window)
    assert turns.done[700:] == [body for _, body in blocks(3)]


@pytest.mark.parametrize(
    "loses, words",
    [
        (lambda n: link.DAMAGED if n > 20 else None, f"bad CRC: a frame .*, {RETRIES} times in a row"),
        (lambda n: "way" if n > 20 else None, "no answer: nothing came in 0.05 s"),
        (lambda n: link.NOT_LOADING if n > 20 else None, "the board refuses: bytes of an image without BEGIN"),
    ],
    ids=["damaged", "lost", "refused"],
)
def test_what_never_gets_through_is_one_line(loses, words):
    talk = Link(Pretended(Turns(loses)), IN_A_HURRY)
    talk.hello()
    with pytest.raises(BoardError, match=words):
        talk.perform(blocks(100), 8)


@pytest.mark.parametrize(
    "answer, words",
    [
        (lambda *frame: [], "no answer: nothing came in 0.15 s"),
        (lambda *frame: [bytearray(b"Hello, world!\n")], r"bad CRC: \d+ bytes came, and no greeting among them"),
        (lambda kind, number, body: [greeting(number, version=9)], "wrong version: must be 1, the board's link has 9"),
        (lambda kind, number, body: [greeting(number, values=3)], "wrong version: a build has 20 numbers, .* 3"),
    ],
    ids=["silent", "other", "version", "values"],
)
def test_boards_that_are_none(answer, words):
    with pytest.raises(BoardError, match=words):
        Board(Pretended(answer), IN_A_HURRY)


def values(kind, number, body, changed):
    """A board of nano's build, but for what has changed."""
    if kind == link.HELLO:
        return [greeting(number)]
    if kind == link.READ:
        name = link.DESCRIBED[(select := body[0]) - link.LIMITS]
        value = changed.get(name, getattr(BUILD, name))
        return [reply(link.VALUE, number + 1, select=select, station=0, value=value)]
    return [reply(link.ANSWER, number + 1, reason=link.DONE), *changed.get(kind, [])]


def test_a_build_is_read():
    device = Board(Pretended(lambda *frame: values(*frame, {})), IN_A_HURRY)
    assert device.build == BUILD
    with pytest.raises(BoardError, match="wrong version: the board's build is none: lanes: must be a power of two"):
        Board(Pretended(lambda *frame: values(*frame, dict(lanes=5))), IN_A_HURRY)


@pytest.mark.parametrize(
    "said, words",
    [
        ([], "no answer: no token came in 0.05 s"),
        ([bytearray(b"~damaged~")], "bad CRC: a frame of the board is damaged"),
        ([reply(link.TOKEN, 0, token=1, pos=1, seq=0, scored=1, sampled=1, last=0, stop=0)],
         "bad CRC: the token of position 0 is lost, position 1 came"),
    ],
    ids=["silent", "damaged", "gap"],
)  # fmt: skip
def test_tokens_that_do_not_come_through(said, words):
    device = Board(Pretended(lambda *frame: values(*frame, {link.PROMPT: said})), IN_A_HURRY)
    with pytest.raises(BoardError, match=words):
        list(device.tell([1]))


# --- the program ---


def test_no_port_is_one_line(capfd, hi):
    said = one_line(capfd, board.BAD_BOARD, "--port", "/dev/there-is-none", *hi)
    assert said == "board: no port /dev/there-is-none: No such file or directory: '/dev/there-is-none'"
    said = one_line(capfd, board.BAD_BOARD, "--port", os.devnull, *hi)
    assert said.startswith(f"board: no port {os.devnull}: ")


def test_bad_input_is_one_line(capfd, nano, tmp_path):
    port = ["--port", "/dev/there-is-none"]
    assert "tokenizer" in one_line(capfd, board.BAD_INPUT, *port, *nano[:2])
    negative = one_line(capfd, board.BAD_INPUT, *port, *nano, "--prompt=", "--steps=-1")
    assert negative == "board: --steps: must be at least 0, is -1"
    too_long = one_line(capfd, board.BAD_INPUT, *port, *nano, "--prompt", "a" * 40)
    assert too_long == "board: prompt: must have at most 16 tokens, has 42"
    assert "x.bin" in one_line(capfd, board.BAD_INPUT, *port, "--model", str(tmp_path / "x.bin"), *nano[2:])


class Terminal:
    """A pseudo-terminal with a pretended board behind it."""

    def __init__(self, answer):
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path, self._deframer, self._answer = os.ttyname(self._slave), framing.Deframer(), answer
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while data := os.read(self._master, 1024):
            for content in self._deframer.feed(data):
                if content == b"over":
                    return
                for said in self._answer(content[0], content[1], content[2:]):
                    os.write(self._master, framing.framed(said))

    def __enter__(self):
        return self.path

    def __exit__(self, *exception):
        os.write(self._slave, framing.framed(b"over"))
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)


@pytest.mark.parametrize(
    "answer, words",
    [
        (lambda *frame: [], "no answer: nothing came in 0.3 s"),
        (lambda kind, number, body: [greeting(number, version=2)], "wrong version: must be 1, the board's link has 2"),
    ],
    ids=["silent", "version"],
)
def test_a_port_without_the_board_is_one_line(answer, words, capfd, hi):
    with Terminal(answer) as path:
        assert one_line(capfd, board.BAD_BOARD, "--port", path, "--seconds", "0.1", *hi) == f"board: {words}"


def test_a_model_that_does_not_fit_the_board_is_one_line(capfd, hi):
    with Terminal(lambda *frame: values(*frame, dict(max_dim=8))) as path:
        said = one_line(capfd, board.BAD_INPUT, "--port", path, *PATIENT, *hi)
    assert said == "board: model dim: must be at most 8 in this build, is 16"


@pytest.fixture(scope="module")
def device():
    with SimulatedBoard(BUILD, CLOCK_HZ, BAUD, 0xCAFE) as simulated:
        yield simulated


@verilator
def test_stories_through_the_line(device, nano, capfd):
    """Boot, two stories and counters; every token is the integer model's."""
    with Bridge(device) as bridge:
        asked = ["--prompt", "hi", "--prompt", "", "--steps", "9"]
        assert board.main(["--port", bridge.path, *PATIENT, *nano, *asked]) == 0
    output = capfd.readouterr()
    assert output.out.count("equal to the integer model") == 2
    assert "hi" in output.out and "board 0000cafe: " in output.err
    assert "times again" not in output.err
    loads = [text for text in output.err.splitlines() if text.startswith("load the image")]
    assert len(loads) >= 4
    assert bridge.toward > 6000 and bridge.back > 500


@verilator
def test_a_bad_line_costs_time_and_nothing_else(device, hi, capfd):
    """Bits flip, bytes are lost and added on the way of the image and of its answers: it is loaded right after all."""
    hits = set()

    def damage(byte, count):
        if not 2000 < count < 6000 or count % 1100 not in (7, 400, 800):
            return bytes([byte])
        hits.add(count)
        return {7: bytes([byte ^ 4]), 400: b"", 800: bytes([byte, 0x55])}[count % 1100]

    def damage_back(byte, count):
        return bytes([byte ^ 1]) if count == 1000 else bytes([byte])

    device.reset()
    with Bridge(device, damage, damage_back) as bridge:
        status = board.main(["--port", bridge.path, *PATIENT, *hi, "--steps", "6"])
    output = capfd.readouterr()
    assert status == 0, output.err
    assert len(hits) >= 6
    assert "equal to the integer model" in output.out and "times again from a lost frame" in output.err


@verilator
def test_a_line_that_lets_nothing_through_is_one_line(device, hi, capfd):
    """Every frame of the image is damaged: the load is given up, and the decoder has got none of it."""
    device.reset()
    with Bridge(device, lambda byte, count: bytes([byte ^ (count > 600 and count % 50 == 0)])) as bridge:
        said = one_line(capfd, board.BAD_BOARD, "--port", bridge.path, "--seconds", "20", *hi)
    assert said.startswith("board: bad CRC: a frame with a bad CRC")
    assert device.sim.get("led") >> 2 & 1 == 0


@verilator
def test_a_wrong_answer_is_exit_status_1(device, hi, capfd, monkeypatch):
    """One token's bit is flipped behind the checksum: board and integer model differ, and that is said."""
    real = Board.tell

    def other(self, *arguments, **options):
        for beat in real(self, *arguments, **options):
            yield type(beat)(beat.token ^ (beat.pos == 4), beat.pos, beat.scored, beat.sampled, beat.stop)

    monkeypatch.setattr(Board, "tell", other)
    device.reset()
    with Bridge(device) as bridge:
        assert board.main(["--port", bridge.path, *PATIENT, *hi, "--steps", "6"]) == board.MISMATCH
    assert "DIFFERENT from the integer model" in capfd.readouterr().out
