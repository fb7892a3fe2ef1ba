"""Boards that only pretend, for tests of the host's side of the link."""

from llama2_myhdl.host import framing
from llama2_myhdl.spec import link
from llama2_myhdl.spec.link import packed
from llama2_myhdl.spec.presets import preset

BUILD = preset("nano").build
COUNT = len(link.DESCRIBED)


class Pretended:
    """A port whose board answers each whole frame with what `answer(kind, number, body)` gives: contents of frames."""

    def __init__(self, answer):
        self._answer, self._deframer, self._out = answer, framing.Deframer(), bytearray()
        self.frames = []

    def send(self, data):
        for content in self._deframer.feed(bytes(data)):
            self.frames.append(content)
            for reply in self._answer(content[0], content[1], content[2:]):
                self._out += reply if isinstance(reply, bytearray) else framing.framed(reply)

    def receive(self):
        data = bytes(self._out)
        self._out.clear()
        return data

    def forget(self):
        self._out.clear()


def reply(kind, number, **fields):
    return bytes([kind, number % 256]) + packed(kind, **fields)


def greeting(number, version=link.VERSION, values=COUNT, loaded=1, error=0):
    fields = dict(version=version, loaded=loaded, error=error, values=values, digest=0)
    return reply(link.GREETING, number + 1, **fields)


def values(kind, number, body, changed):
    """A board of nano's build but for what has changed: numbers of the build, what it says behind an answer.

    A counter has the value 1000 + its code."""
    if kind == link.HELLO:
        return [greeting(number)]
    if kind == link.READ:
        select, station = body[:2]
        if select < link.LIMITS:
            value = 1000 + select
        else:
            name = link.DESCRIBED[select - link.LIMITS]
            value = changed.get(name, getattr(BUILD, name))
        return [reply(link.VALUE, number + 1, select=select, station=station, value=value)]
    return [reply(link.ANSWER, number + 1, reason=link.DONE), *changed.get(kind, [])]
