"""A model of the Hugging Face hub: its files into a folder that the readers take, by the package `huggingface_hub`.

Files are fetched into a folder beside the final one, which gets its name when all of them are there and have the
digests that the hub tells. What an interrupted transfer has brought stays in it, and the next one goes on from there.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.hf_api import RepoSibling
from huggingface_hub.utils import build_hf_headers

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.any_tokenizer import JSON, PIECES, SETTINGS, TEMPLATE
from llama2_myhdl.readers.hugging_face import CONFIG, GENERATION, INDEX, SINGLE

COMMIT = re.compile("[0-9a-f]{40}")
ENDPOINT_VARIABLE, ENDPOINT = "HF_ENDPOINT", "https://huggingface.co"
SHARDS, GGUF = "model-*-of-*.safetensors", "*.gguf"
BESIDE = (CONFIG, GENERATION, JSON, PIECES, SETTINGS, TEMPLATE)  # of the weights, those that are there


@dataclass(frozen=True)
class Wanted:
    """repo: organisation/name; revision: branch, tag or commit; file: one GGUF file in place of a folder; sha256: of
    that file, where somebody knows it."""

    repo: str
    revision: str = "main"
    file: str | None = None
    sha256: str | None = None

    @property
    def name(self) -> str:
        return self.repo.rpartition("/")[2]


def fetch_from_hub(wanted: Wanted, folder: Path) -> list[str]:
    """Download into `folder`: a folder with the model's name, or a GGUF file. Gives a line for each file, which says
    what its digest was held against. Raises ModelError; OSError when nothing can be written."""
    endpoint = os.environ.get(ENDPOINT_VARIABLE, ENDPOINT).rstrip("/")
    try:
        info = HfApi(endpoint).model_info(wanted.repo, revision=wanted.revision, files_metadata=True)
        if not COMMIT.fullmatch(info.sha or ""):
            raise ModelError(f"{wanted.repo}: {endpoint} must tell a commit, tells {info.sha!r}")
        files = _chosen(wanted, info.siblings or [])
        target = folder / (files[0].rfilename if wanted.file else wanted.name)
        if target.is_dir():
            raise ModelError(f"{target}: is there already; remove it to fetch it anew")
        part = folder / f".{target.name}-{info.sha}.part"
        notes = [_one(wanted, file, info.sha, part, target, endpoint) for file in files]
    except GatedRepoError as error:
        message = f"{wanted.repo}: is for those who have accepted its terms at {endpoint} (`hf auth login`)"
        raise ModelError(message) from error
    except RepositoryNotFoundError as error:
        raise ModelError(f"{wanted.repo}: there is no such model at {endpoint}, or it is not public") from error
    except RevisionNotFoundError as error:
        raise ModelError(f"{wanted.repo}: there is no revision {wanted.revision!r}") from error
    except HfHubHTTPError as error:
        raise ModelError(f"{wanted.repo}: {endpoint} answered HTTP status {error.response.status_code}") from error
    except HFValidationError as error:
        raise ModelError(f"model must be organisation/name, is {wanted.repo!r}") from error
    except (HTTPError, OSError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        why = " ".join(str(error).split())
        raise ModelError(f"{wanted.repo}: download failed: {type(error).__name__}: {why}") from error
    if wanted.file:
        (part / files[0].rfilename).replace(target)
        part.rmdir()
    else:
        part.replace(target)
    return notes


def _chosen(wanted: Wanted, files: list[RepoSibling]) -> list[RepoSibling]:
    """Those that the readers look at; the weights first. ModelError where there are none."""
    named = {file.rfilename: file for file in files if "/" not in file.rfilename}
    ggufs = sorted(name for name in named if fnmatch(name, GGUF))
    if wanted.file:
        if wanted.file not in ggufs:
            known = ", ".join(ggufs) or "none"
            raise ModelError(f"{wanted.repo}: file must be one of its GGUF files ({known}), is {wanted.file!r}")
        return [named[wanted.file]]
    shards = [INDEX, *sorted(name for name in named if fnmatch(name, SHARDS))]
    weights = [SINGLE] if SINGLE in named else shards if INDEX in named else []
    if not weights or CONFIG not in named:
        more = f"; one of its GGUF files can be had with FILE=..: {', '.join(ggufs)}" if ggufs else ""
        raise ModelError(f"{wanted.repo}: must have {CONFIG} and {SINGLE} or {INDEX}, has not{more}")
    return [named[name] for name in (*weights, *(name for name in BESIDE if name in named))]


def _one(wanted: Wanted, file: RepoSibling, commit: str, part: Path, target: Path, endpoint: str) -> str:
    """Fetch a file of a commit and hold it against its digest; what does not have it is removed."""
    path = _transferred(wanted.repo, file, commit, part, endpoint)
    found, of_hub = _digests(path), file.lfs.sha256 if file.lfs else None
    kind, held = ("sha256", wanted.sha256 or of_hub) if wanted.sha256 or of_hub else ("git", file.blob_id)
    if held and found[kind] != held:
        path.unlink()
        if not any(part.iterdir()):
            part.rmdir()
        raise ModelError(f"{file.rfilename}: {kind} digest must be {held}, is {found[kind]}")
    whose = "as the hub says; NOT verified, none is known here" if held else "NOT verified, the hub tells none"
    place = target if wanted.file else target / file.rfilename
    return f"{place}: sha256 {found['sha256']} ({'verified' if wanted.sha256 else whose})"


def _transferred(repo: str, file: RepoSibling, commit: str, part: Path, endpoint: str) -> Path:
    """A file that is there as a whole, after as much of it as there is; `hf_hub_download` would begin anew."""
    path, begun = part / file.rfilename, part / f"{file.rfilename}.begun"
    if path.is_file():
        return path
    part.mkdir(parents=True, exist_ok=True)
    with begun.open("ab") as data:
        if file.size is not None and data.tell() > file.size:
            data.truncate(0)
        url = hf_hub_url(repo, file.rfilename, revision=commit, endpoint=endpoint)
        http_get(url, data, resume_size=data.tell(), headers=build_hf_headers(), expected_size=file.size,
                 displayed_filename=file.rfilename)  # fmt: skip
    begun.replace(path)
    return path


def _digests(path: Path) -> dict[str, str]:
    """sha256, which the hub tells of large files, and git's, which it tells of the others."""
    sha256, git = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            sha256.update(chunk)
            git.update(chunk)
    return dict(sha256=sha256.hexdigest(), git=git.hexdigest())
