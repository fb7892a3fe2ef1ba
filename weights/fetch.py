"""Download a model: one of the tinyllamas with its tokenizer, or `organisation/name` of the Hugging Face hub."""

import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.options import Parser

MODELS_URL = "https://huggingface.co/karpathy/tinyllamas/resolve/main"
TOKENIZER_URL = "https://github.com/karpathy/llama2.c/raw/master"
MODELS_VARIABLE, TOKENIZER_VARIABLE = "LLAMA2_MODELS_URL", "LLAMA2_TOKENIZER_URL"  # mirrors
_CHUNK = 1 << 16
_TIMEOUT = 60  # seconds without a byte


@dataclass(frozen=True)
class RemoteFile:
    """A file under one of the two base addresses; `sha256` is None where this project knows no digest."""

    path: str
    sha256: str | None = None
    is_tokenizer: bool = False

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


_LLAMA_TOKENIZER = RemoteFile("tokenizer.bin", is_tokenizer=True)
MODELS = {
    "stories260K": (
        RemoteFile("stories260K/stories260K.bin", "b0a507e7ad0f626624f17112325e66691f9076d622e1d3274d103d00299f2696"),
        RemoteFile("stories260K/tok512.bin", "037cb335abb25d1fa9e8ecae30ed2a3a8ace9302862ebcdc05d51a6bbb10c312"),
    ),
    "stories15M": (RemoteFile("stories15M.bin"), _LLAMA_TOKENIZER),
    "stories42M": (RemoteFile("stories42M.bin"), _LLAMA_TOKENIZER),
    "stories110M": (RemoteFile("stories110M.bin"), _LLAMA_TOKENIZER),
}


def _why(error: Exception) -> str:
    """What went wrong, in one line; an answer that is not HTTP has any text, so its kind is named too."""
    text = " ".join(str(getattr(error, "reason", error)).split())
    return f"{type(error).__name__}: {text}" if isinstance(error, http.client.HTTPException) else text


def download(url: str, path: Path, sha256: str | None, progress: Progress) -> str:
    """Fetch `url` into `path` through `path`.part; returns its sha256. ModelError leaves no file behind."""
    part = Path(f"{path}.part")
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response, part.open("wb") as file:
            length = response.headers.get("Content-Length")
            task = progress.add_task(path.name, total=int(length) if length else None)
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                digest.update(chunk)
                progress.advance(task, len(chunk))
            if length and file.tell() != int(length):
                raise ModelError(f"{url}: connection ended after {file.tell()} of {length} bytes")
        if sha256 is not None and digest.hexdigest() != sha256:
            raise ModelError(f"{url}: sha256 must be {sha256}, is {digest.hexdigest()}")
        part.replace(path)
    except urllib.error.HTTPError as error:
        raise ModelError(f"{url}: the server answered HTTP status {error.code} ({error.reason})") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{url}: download failed: {_why(error)}") from error
    finally:
        part.unlink(missing_ok=True)
    return digest.hexdigest()


def fetch(model: str, folder: Path, models_url: str, tokenizer_url: str, sha256: str | None = None) -> list[str]:
    """Download a model's files into `folder`; `sha256` is for a checkpoint of unknown digest.

    Returns a line for each file, which says whether its digest was verified. Raises ModelError.
    """
    if model not in MODELS:
        raise ModelError(f"model must be one of {', '.join(MODELS)}, or organisation/name of the hub, is {model!r}")
    checkpoint = MODELS[model][0]
    if sha256 and checkpoint.sha256 and sha256 != checkpoint.sha256:
        raise ModelError(f"--sha256 for {model} must be {checkpoint.sha256}, the known digest, is {sha256}")
    folder.mkdir(parents=True, exist_ok=True)
    notes = []
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        for remote in MODELS[model]:
            base = tokenizer_url if remote.is_tokenizer else models_url
            known = remote.sha256 or (sha256 if remote is checkpoint else None)
            path = folder / remote.name
            digest = download(f"{base.rstrip('/')}/{remote.path}", path, known, progress)
            verified = "verified" if known else "NOT verified, none is known here"
            notes.append(f"{path}: sha256 {digest} ({verified})")
    return notes


def _fetched(options) -> list[str]:
    """What the options ask for, from where it is. Raises ModelError or OSError."""
    for_hub = [name for name in ("revision", "file") if getattr(options, name)]
    if "/" not in options.model:
        if for_hub:
            raise ModelError(f"{', '.join(for_hub)}: only for organisation/name of the hub, model is {options.model!r}")
        return fetch(options.model, options.dir, options.url, options.tokenizer_url, options.sha256)
    from llama2_myhdl.weights.hub import Wanted, fetch_from_hub  # its package takes a second to load

    if options.sha256 and not options.file:
        raise ModelError("sha256: of a model of the hub needs a file, since a folder has several")
    given = {name: getattr(options, name) for name in for_hub}
    return fetch_from_hub(Wanted(options.model, sha256=options.sha256, **given), options.dir)


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0, or 2 after one line that says what was wrong."""
    parser = Parser(prog="fetch", description=__doc__)
    parser.add_argument("model", help=f"{', '.join(MODELS)}, or organisation/name of the Hugging Face hub")
    parser.add_argument("--dir", type=Path, default=Path("models"), help="folder for the files (default: models)")
    models_url = os.environ.get(MODELS_VARIABLE, MODELS_URL)
    tokenizer_url = os.environ.get(TOKENIZER_VARIABLE, TOKENIZER_URL)
    parser.add_argument("--url", default=models_url, help=f"base address of the models (or ${MODELS_VARIABLE})")
    parser.add_argument(
        "--tokenizer-url", default=tokenizer_url, help=f"base address of tokenizer.bin (or ${TOKENIZER_VARIABLE})"
    )
    parser.add_argument("--sha256", help="digest that the checkpoint must have, where none is built in")
    parser.add_argument("--revision", help="branch, tag or commit of a model of the hub (main)")
    parser.add_argument("--file", help="one GGUF file of a model of the hub, in place of its folder")
    options = parser.parse_args(arguments)
    try:
        notes = _fetched(options)
    except (ModelError, OSError) as error:
        print(f"fetch: {error}", file=sys.stderr)
        return 2
    print("\n".join(notes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
