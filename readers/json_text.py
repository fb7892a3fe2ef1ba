"""JSON files of outside: an object, or one line that says why not."""

import json
from pathlib import Path

from llama2_myhdl.base.errors import ModelError

LIMIT = 16 << 20  # bytes; the index of a model in hundreds of files has a few million


def read_json(path: Path) -> dict:
    """The object in a JSON file. Raises ModelError; FileNotFoundError passes."""
    try:
        if path.stat().st_size > LIMIT:
            raise ModelError(f"{path}: must have at most {LIMIT} bytes, has {path.stat().st_size}")
        data = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:  # JSONDecodeError, UnicodeDecodeError, numbers of 5,000 digits
        raise ModelError(f"{path}: is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path}: must have a JSON object, has {type(found).__name__}")
    return found


class Fields:
    """Values of a JSON object by key, each checked for its kind; `name` leads the errors."""

    def __init__(self, values: dict, name: str):
        self.values, self.name = values, name

    def _wrong(self, key: str, wanted: str, value) -> ModelError:
        shown = json.dumps(value, default=repr)
        return ModelError(f"{self.name}: {key} must be {wanted}, is {shown[:60]}{'..' if len(shown) > 60 else ''}")

    def integer(self, key: str, default: int | None = None) -> int:
        """An integer; ModelError where it is missing and has no default."""
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(key, "an integer", value)
        return value

    def number(self, key: str, default: float | None = None) -> float:
        value = self.values.get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self._wrong(key, "a number", value)
        try:
            return float(value)
        except OverflowError:
            raise self._wrong(key, "a number", value) from None

    def part(self, key: str) -> "Fields":
        """An object inside; an empty one where it is missing or null."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(key, "an object", value)
        return Fields(value or {}, f"{self.name}: {key}")

    def tokens(self, key: str, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Token ids, one or a list of them in the file; none for null."""
        value = self.values.get(key, list(default))
        found = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(token, int) and not isinstance(token, bool) for token in found):
            raise self._wrong(key, "token ids", value)
        return tuple(found)

    def must_be(self, key: str, *wanted) -> None:
        """ModelError unless it is missing or one of the values."""
        value = self.values.get(key, wanted[0])
        if not any(value == one and type(value) is type(one) for one in wanted):
            raise self._wrong(key, " or ".join(json.dumps(one) for one in wanted), value)
