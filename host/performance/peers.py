"""Published figures of others, each with where it is from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """share: of what its memory or bus could bring, least and most; rate: tokens a second, and peak, bytes a second of
    that memory, where they are published; source: whose figure it is."""

    name: str
    run: str
    figure: str
    source: str
    share: tuple[float, float] | None = None
    rate: float | None = None
    model: str = ""
    peak: float = 0.0


AUTHORS = "its authors"
PEERS = (
    Peer("llama2.hls", "stories15M on a KV260, 128 bits at 150 MHz", "109.756 tokens/s, 80.3% of the bus", AUTHORS,
         (0.803, 0.803), 109.756, "stories15M", 2.4e9),
    Peer("Torch2RISCV", "SmolLM2-135M on a KV260", "27.0 tokens/s", AUTHORS, None, 27.0, "SmolLM2-135M"),
    Peer("Hummingbird", "decoding, a board's memory", "93 to 94% of the memory", AUTHORS, (0.93, 0.94)),
    Peer("openTPU", "decoding, DDR3 on a card", "94% of the memory; attention 64 to 67%", AUTHORS, (0.94, 0.94)),
    Peer("llama2.clash", "stories260K, 64 lanes, 512 bits", "112,370 cycles a token, 3.6% of the bus", "its README",
         (0.036, 0.036)),
)  # fmt: skip
