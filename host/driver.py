"""A driver of the IP block over whatever reads and writes words of 32 bits: load a model, tell stories, read counters.

    driver = Driver(words, memory, REGISTERS, pause=lambda: time.sleep(0.001))
    driver.load(image)
    for beat in driver.generate(Request((1, 300))):
        print(beat.token)
    print(driver.stats())

words: `read(address)` and `write(address, value)` of the registers, addresses in bytes from their first one. memory:
what the block's masters see: `base` and `size` in bytes, and `put(address, data)`. Both are of a simulation
(`sim/ip.py`) or mapped from a device (`host/mapped.py`). REGISTERS: by name, of `spec/control.py`, or of the module
that `make ip` writes beside the driver.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from llama2_myhdl.spec.access import ACCESS_MEANING
from llama2_myhdl.spec.counters import COUNTERS
from llama2_myhdl.spec.errors import BUS_ERRORS, MEANING
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.register import Register
from llama2_myhdl.spec.sequence import Beat, Request, prompt_beats

ID, MAJOR = 0x5049324C, 1
CACHE_MINOR = 1  # from this one on a block tells of its cache; one of before has it on the chip
CYCLES = 0x3F  # in the place of a counter's number
PAGE = 4096  # bytes: where the driver lays something itself, and as `cache.pages` counts
SECONDS = 60.0  # without any progress
HALF_BITS, HALF = 32, 0xFFFFFFFF
SIGN = 1 << F_BITS - 1


class DriverError(RuntimeError):
    """The block, or what it is asked to do, is not as it should be; one line."""


class Driver:
    """A block behind `words`, of which no one else is in charge; DriverError when it is none, or of another version.

    pause: called while the block works; seconds: without a sign of life, then it is an error. build: the build's
    numbers, by their names in `spec/config.py`.
    """

    def __init__(
        self,
        words,
        memory,
        registers: Mapping[str, Register],
        pause: Callable[[], None] = lambda: None,
        seconds: float = SECONDS,
    ):
        self._words, self._memory, self._registers = words, memory, registers
        self._pause, self._seconds = pause, seconds
        found, version = self.read("id")["value"], self.read("version")
        if found != ID:
            raise DriverError(f"no llama2.myhdl at this address: its identity is {ID:#010x}, found {found:#010x}")
        if version["major"] != MAJOR:
            raise DriverError(f"version of the registers: must be {MAJOR}, is {version['major']}.{version['minor']}")
        names = [name for name in registers if name.startswith("build.")]
        self.build = {name.partition(".")[2]: self.read(name)["value"] for name in names}
        self._bus, self._parts = self.read("bus"), self.read("parts")
        pages = self.read("cache")["pages"] if version["minor"] >= CACHE_MINOR else 0
        self._caches = [pages * PAGE] * (self.build["engines"] if pages else 0)
        self.draws = self.build["list_entries"] > 0  # there is a sampler

    def read(self, name: str) -> dict[str, int]:
        """A register's fields by name."""
        register = self._registers[name]
        return register.unpack(self._words.read(register.address))

    def write(self, name: str, **fields: int) -> None:
        """A register's fields; those that are not given get what a reset gives them. DriverError."""
        register = self._registers[name]
        try:
            word = register.pack(**fields)
        except ValueError as error:
            raise DriverError(str(error)) from error
        self._words.write(register.address, word)

    def _wait(self, what: str, over: Callable[[], bool]) -> None:
        """Until it is over."""
        end = time.monotonic() + self._seconds
        while not over():
            if time.monotonic() > end:
                raise DriverError(f"{what}: nothing happens for {self._seconds:g} s")
            self._pause()

    def reset(self) -> None:
        """Soft reset: forgets model, sequences, errors and interrupts, whatever the block does."""
        self.write("control", soft_reset=1)
        self._wait("soft reset", lambda: self.read("status")["idle"] == 1)

    def check(self) -> None:
        """DriverError when the block has one."""
        error = self.read("error")
        if error["code"]:
            raise DriverError(f"the decoder says: {MEANING.get(error['code'], error['code'])}")
        if error["access"]:
            raise DriverError(f"an access was refused: {ACCESS_MEANING.get(error['access'], error['access'])}")

    # --- load ---
    def load(self, image: bytes, tapes: Sequence[bytes] = (), places: Sequence[int] | None = None) -> None:
        """Lay a boot image, and the tapes of a build that reads them from memory, into the memory, and load it.

        image: the beats of `weights.tape.Tape`; tapes: of `weights.memory.memory_image`; places: addresses of the
        image, of each of them, and of each engine's keys and values where they lie in memory, else one behind the other
        from the memory's base. DriverError, before anything is written, when there is no room, when places overlap or
        are misaligned; else when the block refuses the image.
        """
        if len(tapes) != self._parts["tapes"]:
            raise DriverError(f"parts of the model: this build reads {self._parts['tapes']}, {len(tapes)} are given")
        parts = [image, *tapes]
        sizes = [*map(len, parts), *self._caches]
        places = self._lay(sizes) if places is None else list(places)
        if len(places) != len(sizes):
            what = f"the image, {len(tapes)} parts of the model and {len(self._caches)} caches"
            raise DriverError(f"places: must be {len(sizes)} addresses, of {what}, are {len(places)}")
        self._check_places(sizes, places)
        self.reset()
        for data, place in zip(parts, places):
            self._memory.put(place, data)
        names = ["image_{}", *(f"tape[{k}].{{}}" for k in range(len(places) - 1))]
        for name, place in zip(names, places):
            self.write(name.format("low"), value=place & HALF)
            self.write(name.format("high"), value=place >> HALF_BITS)
        self.write("image_bytes", value=len(image))
        self.write("control", start=1)
        self._wait("the boot image", lambda: not self.read("status")["loading"])
        self.check()
        if not self.read("status")["loaded"]:
            raise DriverError("the decoder does not say that the image is loaded")

    def _lay(self, sizes: Sequence[int]) -> list[int]:
        places, place = [], -(-self._memory.base // PAGE) * PAGE
        for size in sizes:
            places.append(place)
            place += -(-size // PAGE) * PAGE
        return places

    def _check_places(self, sizes: Sequence[int], places: Sequence[int]) -> None:
        beat = self._bus["data_bits"] // 8
        limit = min(self._memory.base + self._memory.size, 1 << self._bus["address_bits"])
        parts = ["boot image", *(f"part {k} of the model" for k in range(len(sizes) - len(self._caches) - 1))]
        names = [*parts, *(f"keys and values of engine {k}" for k in range(len(self._caches)))]
        named = list(zip(names, places, sizes, strict=True))
        for name, place, size in named:
            multiple = beat if name in parts else PAGE
            if place % multiple:
                raise DriverError(f"{name}: its address must be a multiple of {multiple}, is {place:#x}")
            if not self._memory.base <= place <= limit - size:
                where = f"{self._memory.base:#x} to {limit - 1:#x}"
                raise DriverError(f"{name}: {size} bytes at {place:#x} are not within the memory, {where}")
        in_order = sorted(named, key=lambda one: one[1])
        for (name, place, size), (other, after, _) in zip(in_order, in_order[1:]):
            if place + size > after:
                raise DriverError(f"{name} and {other} overlap: {size} bytes at {place:#x}, and {after:#x}")

    # --- tell ---
    def generate(self, request: Request, slot: int = 0) -> Iterator[Beat]:
        """The beats of a sequence, one a position, as they come; the block tells one at a time through this driver.

        DriverError: settings that this build does not have, no model, a prompt that the decoder refuses, no answer.
        """
        if not self.draws and request != Request(request.prompt, request.steps, request.score):
            raise DriverError("this build has no sampler (list_entries = 0), greedy only")
        if not self.read("status")["loaded"]:
            raise DriverError("no model is loaded")
        self.write("control", clear=1)
        self._settle(request, slot)
        waiting = list(prompt_beats(request, slot, self.draws))[::-1]
        ended = False
        while not ended:
            while waiting and self.read("status")["prompt_room"]:
                self._say(waiting.pop())
            beat = self._next(bool(waiting))
            if beat is not None:
                ended = beat.last
                yield beat
        while waiting:  # the decoder swallows what is left of a prompt whose sequence has ended
            self._wait("the prompt mailbox", lambda: self.read("status")["prompt_room"] > 0)
            self._say(waiting.pop())

    def _settle(self, request: Request, slot: int) -> None:
        """The settings of a prompt."""
        first = next(prompt_beats(request, slot, self.draws), None)
        if first is None:
            raise DriverError("prompt: must be one token or more, is empty")
        self.write("slot", value=slot)
        self.write("steps", value=request.steps)
        if not self.draws:
            self.write("mode", score=first["score"])
            return
        self.write("mode", **{name: first[name] for name in ("score", "greedy", "logprobs")})
        self.write("temperature", scale=first["scale"], shift=first["shift"])
        for register, name in dict(top_k="k", top_p="p", min_p="floor", new_tokens="new_tokens", stops="stops").items():
            self.write(register, value=first[name])
        self.write("seed", value=first["seed"] & HALF)
        self.write("stream", value=first["seed"] >> HALF_BITS)
        for k in range(sum(name.startswith("stop[") for name in self._registers)):
            self.write(f"stop[{k}]", value=first[f"stop_{k}"])

    def _say(self, beat: dict[str, int]) -> None:
        if beat.get("logprobs") and not beat["last"]:
            self.write("target", value=beat["target"])
        self.write("prompt", token=beat["token"], last=beat["last"])

    def _next(self, more: bool) -> Beat | None:
        """The next beat; None when there is none, but more of the prompt to be said, and room for it."""
        found: list[dict[str, int]] = []

        def comes() -> bool:
            status = self.read("status")
            if status["tokens"]:
                place, logprob = self.read("token_place"), self.read("token_logprob")["value"] if self.draws else 0
                found.append(self.read("token") | place | dict(logprob=logprob - 2 * (logprob & SIGN)))
                if not found[-1].pop("valid"):
                    found.clear()
            elif not status["running"] or self.read("error")["code"] in BUS_ERRORS:
                self.check()
            return bool(found) or (more and status["prompt_room"] > 0)

        self._wait("the next token", comes)
        if not found:
            return None
        fields = found[0]
        return Beat(
            token=fields["token"],
            pos=fields["pos"],
            scored=bool(fields["scored"]),
            sampled=bool(fields["sampled"]),
            stop=fields["stop"],
            logprob=fields["logprob"],
        )

    # --- look ---
    def stats(self) -> dict:
        """cycles: since the model was loaded; counters: {name: count} of every station; error: the sticky code."""
        stations = range(self._parts["stations"])
        counters = [{name: self._counter(k, at) for k, name in enumerate(COUNTERS)} for at in stations]
        return dict(cycles=self._counter(CYCLES, 0), counters=counters, error=self.read("error")["code"])

    def _counter(self, select: int, station: int) -> int:
        self.write("counter_select", select=select, station=station)
        return self.read("counter_low")["value"] | self.read("counter_high")["value"] << HALF_BITS

    def shape(self) -> dict[str, int]:
        """The registers of the loaded image, by their names in `spec/registers.py`; DriverError without a model."""
        if not self.read("status")["loaded"]:
            raise DriverError("no model is loaded")
        names = [name for name in self._registers if name.startswith("shape.")]
        return {name.partition(".")[2]: self.read(name)["value"] for name in names}
