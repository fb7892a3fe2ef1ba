"""What the testbench of an IP folder tells: a small random model in memory, and the integer model's answers."""

from dataclasses import dataclass

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.spec.cache import cache_count
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.control import PAGE_BYTES, REGISTERS, boot_bus, cache_pages
from llama2_myhdl.spec.sequence import Request
from llama2_myhdl.weights.memory import memory_image
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image

BASE = 0x4000_0000  # where the testbench's memory begins
ALIGN = 64  # bytes of the widest bus
SEED, STEPS = 3, 6


@dataclass(frozen=True)
class Story:
    """memory: the words of the bus from BASE on; places: addresses of image and tapes, then of the caches, if they lie
    in memory; length: bytes of the image; prompt: token ids; steps: positions; words: what the token mailbox says, a
    position each."""

    memory: list[int]
    places: list[int]
    length: int
    prompt: list[int]
    steps: int
    words: list[int]


def story_for(build: BuildConfig) -> Story:
    """A story of the smallest model that shows all of a build: a layer an engine, two query heads on one."""
    shape = ModelShape(
        dim=8,
        hidden_dim=min(22, build.max_hidden),
        n_layers=build.engines,
        n_heads=min(2, build.max_heads),
        n_kv_heads=1,
        vocab_size=min(29, build.max_vocab),
        seq_len=min(12, build.max_seq),
    )
    build.check(shape)
    checkpoint = random_checkpoint(shape, SEED, shared=True)
    weights = quantise_checkpoint(checkpoint, gptq=False, bits=build.weight_bits)
    image = boot_image(weights, build).beats.tobytes()
    parts = [image, *(memory_image(weights, build) if build.buses else [])]
    places, memory = [], b""
    for part in parts:
        places.append(BASE + len(memory))
        memory += part + bytes(-len(part) % ALIGN)
    room = cache_pages(build) * PAGE_BYTES
    first = -(-(BASE + len(memory)) // PAGE_BYTES) * PAGE_BYTES
    places += [first + k * room for k in range(cache_count(build))]
    size = boot_bus(build).word_bytes
    request = Request((1, min(7, shape.vocab_size - 1), 3), STEPS)
    beats = FixedModel(weights, build).decode(request)
    told = [
        REGISTERS["token"].pack(
            token=b.token, scored=int(b.scored), sampled=int(b.sampled), last=int(b.last), stop=b.stop, valid=1
        )
        for b in beats
    ]
    words = [int.from_bytes(memory[at : at + size], "little") for at in range(0, len(memory), size)]
    return Story(words, places, len(image), list(request.prompt), STEPS, told)
