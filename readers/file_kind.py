"""What a file is that a reader cannot use: formats that people hand over by mistake, told from its first bytes.

Readers ask only after their own format has failed, so none of their own files is ever taken for something else.
"""

import struct

LOOK = 4096  # bytes from the front of a file that `file_kind` wants to see

_LLAMA2C_MAGIC = 0x616B3432  # "ak42", in front of the versions from 1 on
_LLAMA2C_VERSIONS = {1: " (float32)", 2: " (int8 groups, Q8_0)"}
_ZIP = (b"PK\3\4", b"PK\5\6")  # with files, and without any
_PICKLES = tuple(bytes([0x80, protocol]) for protocol in (2, 3, 4, 5))
_STARTS = {
    b"\x1f\x8b\x08": "a gzip archive",
    b"L2MTAPE\0": "a weight tape",
    b"lmgg": "a GGML file",
    b"fmgg": "a GGML file",
    b"tjgg": "a GGML file",
}
_TEXTS = (
    ("version https://git-lfs", "a Git LFS pointer, not the file that it points to"),
    ("<!doctype html", "an HTML page"),
    ("<html", "an HTML page"),
    ("<?xml", "an XML file"),
    ("{", "a JSON file"),
)


def file_kind(head: bytes, size: int) -> str | None:
    """A few words such as "a GGUF file"; None for what is not known.

    head: the first LOOK bytes, fewer only where the file ends before; size: bytes of the whole file.
    """
    if not head:
        return "an empty file"
    return _llama2c(head) or _container(head, size) or _binary(head) or _text(head)


def _llama2c(head: bytes) -> str | None:
    if len(head) < 8 or struct.unpack("<I", head[:4])[0] != _LLAMA2C_MAGIC:
        return None
    version = struct.unpack("<i", head[4:8])[0]
    return f"a llama2.c checkpoint of version {version}{_LLAMA2C_VERSIONS.get(version, '')}"


def _container(head: bytes, size: int) -> str | None:
    if head[:4] == b"GGUF":
        return f"a GGUF file (version {struct.unpack('<I', head[4:8])[0]})" if len(head) >= 8 else "a GGUF file"
    if head[:4] in _ZIP:
        return "a PyTorch checkpoint (zip)" if b"data.pkl" in head[:512] else "a zip archive"
    if head[8:9] == b"{" and 2 <= struct.unpack("<Q", head[:8])[0] <= size - 8:
        return "a safetensors file"
    return None


def _binary(head: bytes) -> str | None:
    if head[4:9] == b"<unk>":  # the first piece, behind the tags and lengths of a protocol buffer
        return "a SentencePiece model"
    if head[:2] in _PICKLES and head[2:4] != b"\0\0":  # a small number of 32 bits may begin like this, too
        return "a PyTorch checkpoint (pickle)"
    return next((kind for start, kind in _STARTS.items() if head.startswith(start)), None)


def _text(head: bytes) -> str | None:
    """Text is UTF-8 without control characters other than blanks; a character that LOOK cuts off does not count."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(head) < LOOK or error.start < len(head) - 3:
            return None
        text = head[: error.start].decode("utf-8-sig")
    if any(ord(character) < 32 and not character.isspace() for character in text):
        return None
    start = text.lstrip()[:32].lower()
    return next((kind for prefix, kind in _TEXTS if start.startswith(prefix)), "a text file")
