"""The tensors of a recording: some elements of each tap, fixed beside float, and the largest logits."""

import numpy as np

from llama2_myhdl.host.taps import beside, folded
from llama2_myhdl.host.telling import Told
from llama2_myhdl.readers.codec import TextCodec
from llama2_myhdl.sim.taps import split
from llama2_myhdl.spec.formats import F_FRAC
from llama2_myhdl.watch import limits

NAMES = ("x_att", "q", "k", "v", "attention", "swiglu", "x_layer", "logits")
DIGITS = 5  # of floats
LOGITS = "logits"


def short(value: float) -> float:
    """Rounded to a few significant digits."""
    return float(f"{value:.{DIGITS}g}")


def piece(tokenizer: TextCodec, token: int) -> str:
    """A token's own text, as it stands in the middle of one."""
    return "" if token == tokenizer.bos else tokenizer.decode(0, token).decode(errors="replace")


def _tap(fixed: np.ndarray, reference: np.ndarray, unit: float, kept: list[int]) -> dict:
    """error: the largest distance of all elements, and size: the largest float of all."""
    return dict(
        fixed=fixed[kept].tolist(),
        float=[short(value) for value in reference[kept]],
        error=short(np.abs(fixed * unit - reference).max()),
        size=short(np.abs(reference).max()),
    )


def _top(fixed: np.ndarray, reference: np.ndarray) -> list[list]:
    """token, fixed, float of the largest fixed logits; of equal ones the lower token first, as in the hardware."""
    order = np.argsort(-fixed, kind="stable")[: limits.LOGITS]
    return [[int(k), int(fixed[k]), short(reference[k])] for k in order]


def tensors(request, told: Told, tokens: list[dict]) -> dict:
    """Add `taps` and `top` to the tokens; the fields of the recording that say what these are."""
    shape, layers = request.shape, limits.spread(request.shape.n_layers, limits.LAYERS)
    count = limits.elements(len(tokens), (len(NAMES) - 1) * len(layers) + 1)
    units = {name: 2.0**-F_FRAC / folded(shape).get(name, 1) for name in NAMES}
    by_place, kept = {(token["story"], token["pos"]): token for token in tokens}, {}
    for job, outcome, fed in zip(request.jobs, told.outcomes, told.inputs, strict=True):
        seen = {pos: split(records, shape) for pos, records in outcome.taps.items()}
        for pos, taps in beside(request.checkpoint, fed, seen):
            token = by_place[job.seq, pos]
            token["taps"] = {}
            for name in NAMES:
                found = [taps[name, layer] for layer in ([shape.n_layers - 1] if name == LOGITS else layers)]
                kept[name] = kept.get(name) or limits.spread(len(found[0][0]), count)
                token["taps"][name] = [_tap(*pair, units[name], kept[name]) for pair in found]
            fixed, reference = taps[LOGITS, shape.n_layers - 1]
            token["top"] = _top(fixed, reference)
            token["float_best"] = int(reference.argmax())
    shown = {number for token in tokens for number in (token["id"], token["said"], token["float_best"])}
    shown |= {number for token in tokens for number, _, _ in token["top"]}
    return dict(
        pieces={str(number): piece(request.tokenizer, number) for number in sorted(shown)},
        tap_layers=layers,
        taps={name: dict(unit=units[name], elements=kept[name], size=_size(shape, name)) for name in NAMES},
    )


def _size(shape, name: str) -> int:
    """Elements of a tensor of one layer."""
    return {"k": shape.kv_dim, "v": shape.kv_dim, "swiglu": shape.hidden_dim, LOGITS: shape.vocab_size}.get(
        name, shape.dim
    )
