"""A register as software sees it: a word of named fields at an address."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """Bits of a register, and their value behind a reset."""

    low: int
    bits: int
    reset: int

    @property
    def mask(self) -> int:
        return (1 << self.bits) - 1 << self.low


@dataclass(frozen=True)
class Register:
    """address: in bytes; fields: by name; lock: what must not run while it is written,
    "image", "slot" or "prompt", or None; sampler: only in
    builds with one."""

    name: str
    address: int
    fields: dict[str, Field]
    readable: bool
    writable: bool
    lock: str | None
    sampler: bool

    @property
    def stored(self) -> bool:
        """What was written is there to be read: a setting."""
        return self.readable and self.writable and self.name != "irq_status"

    @property
    def mask(self) -> int:
        """The bits that it has."""
        return sum(field.mask for field in self.fields.values())

    @property
    def reset(self) -> int:
        """The word behind a reset."""
        return sum(field.reset << field.low for field in self.fields.values())

    def pack(self, **values: int) -> int:
        """The word with these fields, of the others what a reset gives; ValueError where one does not fit."""
        word = self.reset
        for name, value in values.items():
            field = self.fields[name]
            if not 0 <= value < 1 << field.bits:
                raise ValueError(f"{self.name}.{name}: must be 0 to {(1 << field.bits) - 1}, is {value}")
            word = word & ~field.mask | value << field.low
        return word

    def unpack(self, word: int) -> dict[str, int]:
        """The fields of a word by name."""
        return {name: (word & field.mask) >> field.low for name, field in self.fields.items()}
