"""Settings of a sequence's sampler: what the host says, and the integers that the hardware gets.

Temperature, top-k and top-p in the order of Hugging Face's warpers, then min-p. `golden/fixed/sampler.py` says what
becomes of them.
"""

from dataclasses import dataclass, fields
from math import e, frexp, log, log1p, log2
from numbers import Integral, Real

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.spec.formats import F_FRAC

LIST = 64  # entries of the list that top-k, top-p and min-p choose from
TEMPERATURE_MIN, TEMPERATURE_MAX = 1 / 64, 1024.0

WORD_BITS = 32  # of the seed, and of the stream
SCALE_BITS, SHIFT_BITS, K_BITS, P_BITS, FLOOR_BITS, SEED_BITS = 16, 5, 7, 17, 21, 2 * WORD_BITS
SHIFT_MIN, SHIFT_MAX = 14, 30  # of TEMPERATURE_MIN and TEMPERATURE_MAX
P_OFF = 1 << 16  # top_p = 1
FLOOR_OFF = (1 << FLOOR_BITS) - 1
COST_FRAC = 16  # fraction bits of a cost, and of `floor`
COST_BITS = 36  # of a cost, signed
BLOCK_BITS = 4  # the reference of weights is a whole number of blocks of 2**BLOCK_BITS levels
WEIGHT_FRAC = 44  # fraction bits of a weight and of their sums, below the reference
SUM_BITS = 62  # of a sum: a weight is at most 1, and a vocabulary has at most 2**17 of them
SUM_BITS_MIN = 29  # of a sum with the largest weight in it, which lies in the reference's block
TOP_BITS = 18  # of a sum, against a random number
LOG_BITS = 25  # of a sum, for its logarithm
SCALE_UNIT = 1 << SCALE_BITS  # the 1 in front of `scale`

# ln(1 + 2**-k) in F, k = 1 .. 20 (entry 0 is not used), and ln 2: what log-probabilities are made of
LN_STEPS = 20
LN_DIGITS = (0, *(round(log1p(2.0**-k) * 2**F_FRAC) for k in range(1, LN_STEPS + 1)))
LN2 = round(log(2) * 2**F_FRAC)


@dataclass(frozen=True)
class Registers:
    """The settings as the hardware holds them, all unsigned.

    greedy (1 bit): the largest logit, whatever k, p and floor are; scale (16), shift (5): log2(e) / temperature =
    (65536 + scale) * 2**(4 - shift); k (7): of top-k, 0 is off; p (17, 1.16): of top-p, 65536 is off; floor (21, 5.16):
    how much larger a token's cost may be than the smallest, FLOOR_OFF is off; seed (64): stream << 32 | seed.
    """

    greedy: int
    scale: int
    shift: int
    k: int
    p: int
    floor: int
    seed: int

    @classmethod
    def among(cls, values: dict[str, int]) -> "Registers":
        """Those among more values by name, such as a beat of the prompt port."""
        return cls(**{field.name: values[field.name] for field in fields(cls)})

    @property
    def multiplier(self) -> int:
        """M, 17 bits: what logits are multiplied by in front of the shift."""
        return SCALE_UNIT + self.scale

    @property
    def key(self) -> tuple[int, int]:
        """Seed and stream: the key of the random numbers."""
        return self.seed & (1 << WORD_BITS) - 1, self.seed >> WORD_BITS

    @property
    def whole(self) -> bool:
        """Nothing is cut off: the token is drawn from the whole vocabulary."""
        return self.k == 0 and self.p == P_OFF and self.floor == FLOOR_OFF

    def fault(self, entries: int = LIST) -> str | None:
        """Name of the first register that the hardware refuses, with a list of that many entries; None: none."""
        legal = {
            "shift": SHIFT_MIN <= self.shift <= SHIFT_MAX,
            "k": self.k <= entries,
            "p": self.p <= P_OFF,
        }
        return next((name for name, is_legal in legal.items() if not is_legal), None)


@dataclass(frozen=True)
class Sampling:
    """How a sequence's tokens are chosen; ModelError, one line, for settings that are not legal.

    temperature: 0 is greedy, else 1/64 to 1024; top_k: 0 is off, else 1 to 64, also above the vocabulary; top_p: 0 (one
    token) to 1 (off); min_p: 0 (off) to 1; seed, stream: 0 to 2**32 - 1, sequences of one seed differ by their stream.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = 0
    stream: int = 0

    def __post_init__(self):
        if self.temperature != 0:
            self._check("temperature", Real, TEMPERATURE_MIN, TEMPERATURE_MAX, "0 (greedy) or ")
        self._check("top_k", Integral, 0, LIST)
        self._check("top_p", Real, 0, 1)
        self._check("min_p", Real, 0, 1)
        for name in ("seed", "stream"):
            self._check(name, Integral, 0, 2**WORD_BITS - 1)

    def _check(self, name: str, kind: type, low: float, high: float, besides: str = "") -> None:
        value = getattr(self, name)
        if not (isinstance(value, kind) and low <= value <= high):
            number = "a whole number from " if kind is Integral else ""
            raise ModelError(f"{name} must be {besides}{number}{low} to {high}, is {value!r}")

    @property
    def greedy(self) -> bool:
        """The largest logit each time."""
        return self.temperature == 0

    def registers(self) -> Registers:
        """The integers for the hardware, rounded to nearest. Greedy ones have the scale of temperature 1."""
        scale, shift = _scale(self.temperature or 1.0)
        return Registers(
            greedy=int(self.greedy),
            scale=scale,
            shift=shift,
            k=int(self.top_k),
            p=round(self.top_p * P_OFF),
            floor=_floor(self.min_p),
            seed=int(self.stream) << WORD_BITS | int(self.seed),
        )


def _scale(temperature: float) -> tuple[int, int]:
    """scale and shift of a temperature."""
    fraction, exponent = frexp(log2(e) / temperature)  # fraction in 0.5 .. 1
    multiplier = round(fraction * 2 * SCALE_UNIT)
    if multiplier == 2 * SCALE_UNIT:
        multiplier, exponent = SCALE_UNIT, exponent + 1
    return multiplier - SCALE_UNIT, F_FRAC + 1 - exponent


def _floor(min_p: float) -> int:
    """-log2(min_p), 5.16; off where that is too much for the register."""
    return FLOOR_OFF if min_p == 0 else min(round(-log2(min_p) * 2**COST_FRAC), FLOOR_OFF)
