"""Models of the Hugging Face hub, from a server on the loopback that speaks its protocol."""

import hashlib
import json
import re
import threading

import numpy as np
import pytest

from llama2_myhdl.readers.any_tokenizer import any_tokenizer
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.weights import fetch
from tb.readers import gguf_files, hugging_face_folder, vocabularies
from tb.weights.loopback import Quiet, serving

COMMIT, REPO = "0123456789abcdef0123456789abcdef01234567", "some/model"
CHECKPOINT = random_checkpoint(preset("nano").shape, seed=4)


class Hub:
    """files: by name; cut: how many bytes of a file are sent before the connection ends, None for all; lies: names of
    files whose content is another than their digest says; ranges: those that were asked for."""

    def __init__(self, files):
        self.files, self.cut, self.lies, self.ranges, self.gone = files, None, set(), [], False

    def info(self):
        return dict(id=REPO, sha=COMMIT, siblings=[self._described(*item) for item in self.files.items()])

    def _described(self, name, data):
        found = dict(rfilename=name, size=len(data), blobId=self.etag(name))
        if "safetensors" in name and not name.endswith("json"):
            found["lfs"] = dict(size=len(data), sha256=hashlib.sha256(data).hexdigest(), pointerSize=130)
        return found

    def etag(self, name):
        data = self.files[name]
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Handler(Quiet):
    """The two addresses of the hub that matter: what a revision has, and its files."""

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        hub, path = self.server.hub, self.path.partition("?")[0]
        if not path.startswith((f"/api/models/{REPO}", f"/{REPO}/")):
            return self.refuse("RepoNotFound")
        if path in [f"/api/models/{REPO}/revision/{revision}" for revision in ("main", COMMIT)]:
            return self.answer(200, json.dumps(hub.info()).encode(), {"Content-Type": "application/json"})
        name = path.removeprefix(f"/{REPO}/resolve/{COMMIT}/")
        if name not in hub.files:
            return self.refuse("RevisionNotFound")
        data = hub.files[name] if name not in hub.lies else hub.files[name][::-1]
        headers = {"ETag": f'"{hub.etag(name)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        first, status = 0, 200
        if found := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            first, status = int(found[1]), 206
            hub.ranges.append((name, first))
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        self.answer(status, data[first:], headers, hub.cut if name.endswith(".safetensors") else None)

    def refuse(self, code):
        self.answer(404, b"", {"X-Error-Code": code})

    def answer(self, status, data, headers, cut=None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[:cut])
            self.close_connection = True


@pytest.fixture(scope="module")
def server():
    with serving(Handler) as http:
        yield http


@pytest.fixture
def hub(server, tmp_path, monkeypatch):
    """A folder of a model in two shards with its tokenizer, a GGUF file, and what nobody needs."""
    values = hugging_face_folder.config(CHECKPOINT)
    folder = hugging_face_folder.write(tmp_path / "m", values, hugging_face_folder.tensors(CHECKPOINT), shards=2)
    gguf_files.write(tmp_path / "m" / "model-f16.gguf", CHECKPOINT, "F16")
    (folder / "tokenizer.json").write_text(vocabularies.byte_level("smollm", False).to_str())
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    server.hub = Hub({path.name: path.read_bytes() for path in folder.iterdir()})
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)  # what a cut may lose
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)  # between two attempts
    return server.hub


def run(folder, *options):
    return fetch.main([*options, "--dir", str(folder)])


def refused(capsys, folder, words, *options):
    """One line, exit status 2, and nothing under a final name."""
    assert run(folder, *options) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("fetch: ") and words in line
    assert not [path for path in folder.glob("*") if not path.name.startswith(".")]
    return line


def test_a_folder_is_read(hub, tmp_path, capsys):
    folder = tmp_path / "new"
    assert run(folder, REPO) == 0
    found = {path.name for path in (folder / "model").iterdir()}
    assert found == set(hub.files) - {"pytorch_model.bin", "model-f16.gguf"}
    assert [*folder.iterdir()] == [folder / "model"]
    read = read_model(folder / "model")
    np.testing.assert_array_equal(read.token_embedding, CHECKPOINT.token_embedding)
    assert "another vocabulary" in str(pytest.raises(ValueError, any_tokenizer, folder / "model", None, read).value)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(found) and all("(as the hub says; NOT verified, none is known here)" in x for x in lines)
    assert run(folder, REPO) == 2
    assert "model: is there already; remove it to fetch it anew" in capsys.readouterr().err


def test_a_gguf_file(hub, tmp_path, capsys):
    folder, digest = tmp_path / "new", hashlib.sha256(hub.files["model-f16.gguf"]).hexdigest()
    assert run(folder, REPO, "--file=model-f16.gguf", f"--sha256={digest}", f"--revision={COMMIT}") == 0
    assert capsys.readouterr().out == f"{folder}/model-f16.gguf: sha256 {digest} (verified)\n"
    assert [*folder.iterdir()] == [folder / "model-f16.gguf"]
    assert read_model(folder / "model-f16.gguf").shape.dim == CHECKPOINT.shape.dim


def test_a_transfer_is_gone_on_with(hub, tmp_path):
    """The connection ends again and again; nothing is sent twice."""
    hub.cut = 3000
    assert run(tmp_path / "new", REPO) == 0
    sizes = {name: len(data) for name, data in hub.files.items() if name.endswith(".safetensors")}
    assert min(sizes.values()) > 6000
    assert sorted(hub.ranges) == [(name, first) for name in sorted(sizes) for first in range(3000, sizes[name], 3000)]
    for path in (tmp_path / "new" / "model").iterdir():
        assert path.read_bytes() == hub.files[path.name]


def test_an_interrupted_run_is_gone_on_with(hub, tmp_path, monkeypatch, capsys):
    """What the first one has brought is not fetched again."""
    real, folder = Handler.answer, tmp_path / "new"
    broken = threading.Event()

    def answer(self, status, data, headers, cut=None):
        if cut is not None and self.command == "GET":
            cut = 0 if broken.is_set() else 2000
            broken.set()
        real(self, status, data, headers, cut)

    hub.cut = 1
    monkeypatch.setattr(Handler, "answer", answer)
    refused(capsys, folder, "download failed", REPO)
    hub.cut, hub.ranges = None, []
    assert run(folder, REPO) == 0
    assert [first for _, first in hub.ranges] == [2000]
    assert read_model(folder / "model").shape == read_model(tmp_path / "m").shape


@pytest.mark.parametrize("name, kind", [("model-00001-of-00002.safetensors", "sha256"), ("config.json", "git")])
def test_a_wrong_digest_leaves_nothing(hub, tmp_path, capsys, name, kind):
    folder = tmp_path / "new"
    hub.lies = {name}
    refused(capsys, folder, f"{name}: {kind} digest must be ", REPO)
    assert not list(folder.rglob(name))
    refused(capsys, folder, "sha256 digest must be 0", REPO, "--file=model-f16.gguf", f"--sha256={64 * '0'}")
    assert not list(folder.rglob("*.gguf"))
    hub.lies = set()
    assert run(folder, REPO) == 0


def test_one_line(hub, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "new"
    refused(capsys, folder, "some/other: there is no such model at http://127.0.0.1:", "some/other")
    refused(capsys, folder, f"{REPO}: there is no revision 'v9'", REPO, "--revision=v9")
    refused(capsys, folder, "model must be organisation/name, is 'a/b/c'", "a/b/c")
    refused(capsys, folder, "file must be one of its GGUF files (model-f16.gguf), is 'x.gguf'", REPO, "--file=x.gguf")
    refused(capsys, folder, "revision: only for organisation/name of the hub", "stories15M", "--revision=v1")
    refused(capsys, folder, "sha256: of a model of the hub needs a file", REPO, f"--sha256={64 * '0'}")
    del hub.files["config.json"]
    refused(capsys, folder, "has not; one of its GGUF files can be had with FILE=..: model-f16.gguf", REPO)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    refused(capsys, folder, f"{REPO}: download failed: ConnectError: ", REPO)
