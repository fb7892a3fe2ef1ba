"""The one way to a tokenizer of any kind that is read: `any_tokenizer`."""

import os
from pathlib import Path

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.chat import ChatTemplate
from llama2_myhdl.readers.checkpoint import Checkpoint
from llama2_myhdl.readers.codec import TextCodec
from llama2_myhdl.readers.file_kind import LOOK, file_kind
from llama2_myhdl.readers.json_text import Fields, read_json
from llama2_myhdl.readers.tokenizer import read_tokenizer

JSON, PIECES, SETTINGS, TEMPLATE = "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "chat_template.jinja"


def any_tokenizer(model: str | os.PathLike, given: str | os.PathLike | None, checkpoint: Checkpoint) -> TextCodec:
    """The tokenizer of a model, whose Checkpoint has been read: from the file or folder that is given, else from the
    model's own folder or file. Raises ModelError."""
    path = Path(model if given is None else given)
    try:
        codec = _read(path, given is not None, checkpoint)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    if codec.vocab_size > checkpoint.shape.vocab_size:
        raise ModelError(
            f"{path}: the tokenizer of another vocabulary: it has {codec.vocab_size} tokens, the model "
            f"{checkpoint.shape.vocab_size}"
        )
    return codec


def _read(path: Path, given: bool, checkpoint: Checkpoint) -> TextCodec:
    # the libraries are loaded only where they are needed
    if path.is_dir():
        return _of_folder(path, checkpoint.bos)
    head, size = b"", 0
    if path.is_file():
        with open(path, "rb") as file:
            head, size = file.read(LOOK), os.fstat(file.fileno()).st_size
    if head.startswith(b"GGUF"):
        from llama2_myhdl.readers.gguf_tokenizer import read_gguf_tokenizer

        return read_gguf_tokenizer(path, checkpoint.bos)
    if not given:
        raise ModelError("--tokenizer: must be given with --model")
    kind = file_kind(head, size)
    if kind == "a JSON file" or path.suffix == Path(JSON).suffix:
        from llama2_myhdl.readers.tokenizer_json import read_tokenizer_json

        return read_tokenizer_json(path, checkpoint.bos)
    if kind == "a SentencePiece model" or path.suffix == Path(PIECES).suffix:
        from llama2_myhdl.readers.sentencepiece_model import read_sentencepiece

        return read_sentencepiece(path, checkpoint.bos)
    return read_tokenizer(path, checkpoint.shape.vocab_size)


def _of_folder(folder: Path, bos: int) -> TextCodec:
    settings = Fields(read_json(folder / SETTINGS) if (folder / SETTINGS).is_file() else {}, str(folder / SETTINGS))
    if (folder / JSON).is_file():
        from llama2_myhdl.readers.tokenizer_json import read_tokenizer_json

        codec = read_tokenizer_json(folder / JSON, bos)
    elif (folder / PIECES).is_file():
        from llama2_myhdl.readers.sentencepiece_model import read_sentencepiece

        settings.must_be("add_bos_token", True, False)
        codec = read_sentencepiece(folder / PIECES, bos, settings.values.get("add_bos_token", True))
    else:
        raise ModelError(f"{folder}: must have {JSON} or {PIECES}, has neither; --tokenizer may name one")
    text = _template(folder, settings)
    if text is not None:
        codec.template = ChatTemplate(text, _named(settings))
    return codec


def _template(folder: Path, settings: Fields) -> str | None:
    """In a file of its own, or among the settings, alone or as the one called default."""
    if (folder / TEMPLATE).is_file():
        try:
            return (folder / TEMPLATE).read_text("utf-8")
        except UnicodeDecodeError as error:
            raise ModelError(f"{folder / TEMPLATE}: is no UTF-8: {error}") from error
    found = settings.values.get("chat_template")
    if isinstance(found, list):
        named = {entry.get("name"): entry.get("template") for entry in found if isinstance(entry, dict)}
        found = named.get("default")
    if found is not None and not isinstance(found, str):
        raise ModelError(f"{settings.name}: chat_template must be a text, is {type(found).__name__}")
    return found


def _named(settings: Fields) -> dict[str, str]:
    """Special tokens by the names that templates use; each a text, or an object with it as content."""
    found = {}
    for name in ("bos_token", "eos_token", "unk_token", "pad_token"):
        value = settings.values.get(name)
        value = value.get("content") if isinstance(value, dict) else value
        if isinstance(value, str):
            found[name] = value
    return found
