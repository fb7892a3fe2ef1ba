"""The host's side of the link: frames, and boards that only pretend, good ones and bad ones."""

import random

import pytest

from llama2_myhdl.host import framing
from llama2_myhdl.host.board_client import Board
from llama2_myhdl.host.link import RETRIES, Link, Pace
from llama2_myhdl.host.serial_port import BoardError
from llama2_myhdl.spec import link
from llama2_myhdl.spec.counters import COUNTERS
from tb.board import line
from tb.host.pretended import BUILD, COUNT, Pretended, greeting, reply, values

IN_A_HURRY = Pace(seconds=0.05, quiet=0.01)  # of boards that answer at once


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
        (lambda kind, number, body: [greeting(number, values=3)], f"wrong version: a build has {COUNT} numbers, .* 3"),
    ],
    ids=["silent", "other", "version", "values"],
)
def test_boards_that_are_none(answer, words):
    with pytest.raises(BoardError, match=words):
        Board(Pretended(answer), IN_A_HURRY)


def test_a_build_is_read():
    device = Board(Pretended(lambda *frame: values(*frame, {})), IN_A_HURRY)
    assert device.build == BUILD
    assert device.cycles() == 1000 + link.CYCLES
    assert device.counters(1) == {name: 1000 + k for k, name in enumerate(COUNTERS)}
    assert device.clear() is None
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
