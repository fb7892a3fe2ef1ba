"""The valid/ready stream that all units speak, and the three kinds of Signal that ports are made of."""
import copy

from myhdl import Signal, intbv


def uint(bits, value=0):
    """An unsigned Signal of `bits` bits."""
    return Signal(intbv(value)[_width(bits):])


def sint(bits, value=0):
    """A signed (two's complement) Signal of `bits` bits."""
    return Signal(intbv(value, min=-(1 << (_width(bits) - 1)), max=1 << (bits - 1)))


def bit(value=0):
    """A one-bit bool Signal."""
    return Signal(bool(value))


def _width(bits):
    if isinstance(bits, bool) or not isinstance(bits, int) or bits < 1:
        raise ValueError(f"a Signal needs a width of 1 bit or more, not {bits!r}")
    return bits


class Payload:
    """An interface of payload Signals alone: `Payload(data=sint(32), last=bit())`.

    Attributes: one Signal for each field. `payload`: the fields' names in order; `width`: the sum of their widths.
    """

    def __init__(self, **payload):
        clash = {"valid", "ready", "payload", "width"} & set(payload)
        if clash or not payload:
            raise ValueError(f"payload fields are needed, none named {', '.join(sorted(clash)) or 'otherwise'}")
        self.payload = tuple(payload)
        self.width = sum(len(signal) for signal in payload.values())
        for name, signal in payload.items():
            setattr(self, name, signal)

    def fields(self):
        """The payload Signals in order."""
        return [getattr(self, name) for name in self.payload]

    def as_word(self):
        """A new one whose payload is a single field of all bits, for blocks that only move it."""
        return type(self)(data=uint(self.width))

    def types(self):
        """Fresh Signals of the payload's types, by name."""
        return {name: Signal(copy.deepcopy(signal._init)) for name, signal in zip(self.payload, self.fields())}


class Stream(Payload):
    """A Payload with a valid/ready handshake: `Stream(data=sint(32), last=bit())`.

        clk    _/-\\_/-\\_/-\\_/-\\_/-\\_
        valid  _____/-----------\\___     once up, valid and payload hold until the transfer
        data   -----<  a    ><b >---
        ready  _________/-------\\___     never waits, within a cycle, for valid of the same stream
        moved             a   b          a rising edge with both high is a transfer

    Attributes besides the payload: `valid` (driven by the source) and `ready` (driven by the sink).
    """

    def __init__(self, **payload):
        super().__init__(**payload)
        self.valid = bit()
        self.ready = bit()

    def clone(self):
        """A new Stream of the same payload types."""
        return Stream(**self.types())

    def bare(self):
        """A new Payload of the same types, without a handshake."""
        return Payload(**self.types())
