"""What may be looked at inside a station, an engine or the head: streams with their units and taps, and signals.

Names are local ones of `rtl/layer/engine.py` and `rtl/logits/head.py`, or of an instance there, `u_tail.best`; a
station has those streams that its block has.
The cycle table, the taps, the pyuvm regression and the list of signals that a simulator's build shows all read this.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Probe:
    """A stream inside a station, or inside an instance there. units: those at whose doors it is (a transfer makes them
    busy); taps: the tensors of the golden model that pass it in a layer, in order; values: fields that hold their
    elements, F each.
    """

    stream: str
    units: tuple[str, ...] = ()
    taps: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


PROBES = (
    Probe("fresh_x", ("residual",)),
    Probe("delta", ("residual",)),
    Probe("x", ("residual",), ("x_att", "x_layer"), ("data",)),
    Probe("to_norm", ("norm",)),
    Probe("normed", ("norm",)),
    Probe("inverse_rms", ("norm",)),
    Probe("head_row", ("rope",)),
    Probe("turned", ("rope", "heads"), ("k", "q"), ("data",)),
    Probe("head", ("heads",)),
    Probe("value_row", ("heads",), ("v",), ("data",)),
    Probe("values", ("heads",)),
    Probe("attended", (), ("attention",), ("data", "second")),
    Probe("up", ("swiglu",)),
    Probe("gated", ("swiglu",), ("swiglu",), ("data",)),
    Probe("chosen", ("quantiser",)),
    Probe("words", ("quantiser",)),
    Probe("logit", ("argmax",), ("logits",), ("data",)),
    Probe("u_tail.best", ("argmax",)),
)
UNITS = ("matvec", "rope", "heads", "attention", "residual", "norm", "swiglu", "quantiser", "argmax")
PACKET = ("start", "done", "seq", "pos")  # a station's work on a token: from `start` to `done`
WORK = ("cause", "layer", "attention_busy")
KIND = ("u_matvec", "now_kind")  # instance and signal: the kind of the rows that the matvec takes beats of
TAPPED = tuple(probe for probe in PROBES if probe.taps)


def shown() -> dict[str, tuple[str, ...]]:
    """Signals that a build of the decoder shows, by the block that has them."""
    pins = [f"{probe.stream}_{pin}" for probe in PROBES for pin in ("valid", "ready", *probe.values)]
    station = (*PACKET, *WORK, *(pin for pin in pins if "." not in pin))
    inside = (KIND, *(pin.split(".") for pin in pins if "." in pin))
    found = {"engine": station, "head": station}
    for instance, signal in inside:
        block = instance.removeprefix("u_")
        found[block] = (*found.get(block, ()), signal)
    return found
