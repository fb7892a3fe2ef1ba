"""How a test says that a file or folder is refused: with a ModelError of one line, which says these words."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.model import read_model


def says(read: Callable[[], object], *words) -> None:
    """What `read` raises has all words in one line."""
    with pytest.raises(ModelError) as caught:
        read()
    line = str(caught.value)
    assert "\n" not in line
    for word in words:
        assert str(word) in line


def refused(path: Path, *words) -> None:
    """`read_model` names the file, and says the words."""
    says(partial(read_model, path), path.name, *words)
