"""`make board`: the host's program through a pseudo-terminal and the line's bits to the simulated board and back."""

import contextlib
import io
import os
import sys
import threading
import tty

import pytest

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.host import board, board_client, framing
from llama2_myhdl.host import recording as story
from llama2_myhdl.host.board_client import Board
from llama2_myhdl.host.recording import recording
from llama2_myhdl.host.serve import opening, terminal
from llama2_myhdl.host.serve.passage import Passage
from llama2_myhdl.readers.checkpoint import random_checkpoint, write_checkpoint
from llama2_myhdl.readers.tokenizer import read_tokenizer, write_tokenizer
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec import link
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.recording import PLACE
from llama2_myhdl.spec.sequence import Request
from llama2_myhdl.weights.cache import quantised, tape_file
from llama2_myhdl.weights.tape import read_tape
from tb.board.flash import Flash
from tb.board.simulated import BAUD, Bridge, SimulatedBoard
from tb.host.nano import PIECES
from tb.host.pretended import greeting, values

BUILD, SHAPE = preset("nano").build, preset("nano").shape
PATIENT = ["--timeout", "60"]  # the simulation is much slower than a board
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
    for option, value, limits in (("baud", "0", "1 to 5e+07"), ("timeout", "nan", "0.01 to 3600"),
                                  ("timeout", "inf", "0.01 to 3600")):  # fmt: skip
        said = one_line(capfd, board.BAD_INPUT, *port, *nano, "--prompt=", f"--{option}={value}")
        assert said == f"board: --{option}: must be {limits}, is {value}"
    too_long = one_line(capfd, board.BAD_INPUT, *port, *nano, "--prompt", "a" * 40)
    assert too_long == "board: prompt: must have at most 16 tokens, has 42"
    assert "x.bin" in one_line(capfd, board.BAD_INPUT, *port, "--model", str(tmp_path / "x.bin"), *nano[2:])


class Terminal:
    """A pseudo-terminal with a pretended board behind it. leaves: told a frame's kind, whether the board goes away."""

    def __init__(self, answer, leaves=lambda kind: False):
        self._leaves = leaves
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
                if self._leaves(content[0]):
                    master, self._master = self._master, None
                    os.close(master)
                    return
                for said in self._answer(content[0], content[1], content[2:]):
                    os.write(self._master, framing.framed(said))

    def __enter__(self):
        return self.path

    def __exit__(self, *exception):
        with contextlib.suppress(OSError):  # the board has gone away by itself
            os.write(self._slave, framing.framed(b"over"))
        self._thread.join()
        for end in filter(None, (self._master, self._slave)):
            os.close(end)


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
        assert one_line(capfd, board.BAD_BOARD, "--port", path, "--timeout", "0.1", *hi) == f"board: {words}"


def test_a_model_that_does_not_fit_the_board_is_one_line(capfd, hi):
    with Terminal(lambda *frame: values(*frame, dict(max_dim=8))) as path:
        said = one_line(capfd, board.BAD_INPUT, "--port", path, *PATIENT, *hi)
    assert said == "board: model dim: must be at most 8 in this build, is 16"


@pytest.mark.parametrize("kind", [link.READ, link.BEGIN, link.IMAGE, link.PROMPT])
def test_a_port_that_goes_away_is_one_line(kind, capfd, hi):
    """In the midst of whatever."""
    terminal = Terminal(lambda *frame: values(*frame, {}), leaves=lambda frame: frame == kind)
    with terminal as path:
        said = one_line(capfd, board.BAD_BOARD, "--port", path, *PATIENT, *hi)
    assert said.startswith(f"board: port {path}: is gone: ")


@pytest.fixture(scope="module")
def device():
    with SimulatedBoard(BUILD) as simulated:
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
def test_a_conversation_with_a_board(device, nano, model, capfd, monkeypatch):
    """`make chat BOARD=..`: each answer is what the integer model goes on with."""
    fixed, _, tokenizer = model
    monkeypatch.setattr(opening, "SECONDS", 60)
    monkeypatch.setattr(sys, "stdin", io.StringIO("hi\n\nab\n"))
    device.reset()
    with Bridge(device) as bridge:
        assert terminal.main([*nano, f"--board={bridge.path}", f"--baud={BAUD}", "--new-tokens=3"]) == 0
    said = []
    for text in ("hi", "ab"):
        request = Request(tuple(tokenizer.encode(text)), len(tokenizer.encode(text)) + 2, score=False)
        passage = Passage(tokenizer, request)
        said.append("".join(passage.feed(beat) for beat in fixed.decode(request)))
    assert capfd.readouterr().out == f"{said[0]}\n{said[1]}\n" and len(set(said)) == 2


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
        status = board.main(["--port", bridge.path, "--timeout", "20", *hi, "--steps", "6"])
    output = capfd.readouterr()
    assert status == 0, output.err
    assert len(hits) >= 6
    assert "equal to the integer model" in output.out and "times again from a lost frame" in output.err


@verilator
def test_a_line_that_lets_nothing_through_is_one_line(device, hi, capfd, monkeypatch):
    """Every frame of the image is damaged: the load is given up, and the decoder has got none of it."""
    monkeypatch.setattr(board_client, "IMAGE_WINDOW", 8)  # all that is sent behind a damaged one is sent in vain
    device.reset()
    with Bridge(device, lambda byte, count: bytes([byte ^ (count > 600 and count % 50 == 0)])) as bridge:
        said = one_line(capfd, board.BAD_BOARD, "--port", bridge.path, "--timeout", "20", *hi)
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


@pytest.fixture(scope="module")
def model(nano):
    """The integer model of nano's random model, its image and its tokenizer."""
    weights = quantised(nano[1])
    return FixedModel(weights, BUILD), read_tape(tape_file(nano[1], weights, BUILD)), read_tokenizer(nano[3], 32)


@verilator
def test_a_board_tells_the_story_in_its_flash(device, nano, model, capfd):
    """It is reset with a recording in its flash, while the host only listens."""
    fixed, tape, tokenizer = model
    device.reset(Flash(recording(tape, [1, 6, 5], 12), PLACE))
    with Bridge(device) as bridge:
        assert board.main(["--port", bridge.path, *PATIENT, *nano, "--listen"]) == 0
    said = [beat.token for beat in fixed.decode(Request((1, 6, 5), 12, score=False)) if beat.sampled]
    assert len(said) > 5
    assert capfd.readouterr().out.strip() == tokenizer.decode_all(said).strip()


@verilator
def test_a_host_takes_a_board_over_that_plays(device, hi, model, capfd):
    """In the midst of the recording's image the host comes, loads its own, and tells a story."""
    _, tape, _ = model
    device.reset(Flash(recording(tape, [1], 3), PLACE))
    device.listen(64 * 1000)
    assert device.sim.get("led") >> 1 & 1
    with Bridge(device) as bridge:
        assert board.main(["--port", bridge.path, *PATIENT, *hi, "--steps", "6"]) == 0
    assert "equal to the integer model" in capfd.readouterr().out


def test_a_story_is_written(nano, model, tmp_path, capfd):
    output = tmp_path / "story.bin"
    asked = ["--config", "nano", *nano, "--prompt", "hi", "--steps", "4", "--output", str(output)]
    assert story.main(asked) == 0
    assert output.read_bytes() == recording(model[1], [1, 6, 5], 4)
    assert capfd.readouterr().out == f"{output}: {output.stat().st_size:,} bytes\n"
    for option, value, words in (
        ("--steps", "17", "--steps: must be 0 to 16, is 17"),
        ("--config", "nonsense", "configuration 'nonsense': must be one of "),
        ("--config", "nano-bus", "board: must have the weights on the chip, this build has them in memory"),
        ("--prompt", "a" * 40, "prompt: must have at most 16 tokens, has 42"),
    ):
        assert story.main([*asked, option, value]) == 2
        (said,) = capfd.readouterr().err.splitlines()
        assert said.startswith(f"story: {words}")
