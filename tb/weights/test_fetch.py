"""The download command, against a server on the loopback."""

import hashlib

import pytest

from llama2_myhdl.weights import fetch
from tb.weights.loopback import Quiet, serving

CHECKPOINT, TOKENIZER = b"checkpoint" * 20000, b"tokenizer" * 10
FILES = {
    "/stories15M.bin": CHECKPOINT,
    "/tokenizer.bin": TOKENIZER,
    "/stories260K/stories260K.bin": CHECKPOINT,
    "/stories260K/tok512.bin": TOKENIZER,
}


class Handler(Quiet):
    """Serves FILES; the names below /short/ are cut off halfway, those below /garbage/ are not HTTP."""

    def do_GET(self):
        if self.path.startswith("/garbage"):
            self.wfile.write(b"what is this?\r\n\r\n")
            return
        content = FILES.get(self.path.removeprefix("/short"))
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.path.startswith("/short") else content)


@pytest.fixture(scope="module")
def server():
    with serving(Handler) as http:
        yield f"http://127.0.0.1:{http.server_port}"


def run(model, folder, url, *options):
    return fetch.main([model, "--dir", str(folder), "--url", url, "--tokenizer-url", url, *options])


def test_download(server, tmp_path, capsys):
    digest = hashlib.sha256(CHECKPOINT).hexdigest()
    assert run("stories15M", tmp_path / "new", server, "--sha256", digest) == 0
    files = {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()}
    assert files == {"stories15M.bin": CHECKPOINT, "tokenizer.bin": TOKENIZER}
    output = capsys.readouterr().out
    assert f"sha256 {digest} (verified)" in output
    assert f"sha256 {hashlib.sha256(TOKENIZER).hexdigest()} (NOT verified, none is known here)" in output


def test_address_from_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv(fetch.MODELS_VARIABLE, server)
    monkeypatch.setenv(fetch.TOKENIZER_VARIABLE, server + "/")
    assert fetch.main(["stories15M", "--dir", str(tmp_path)]) == 0
    assert len(list(tmp_path.iterdir())) == 2


def refused(capsys, folder, status, *words):
    assert status != 0
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    for word in words:
        assert word in error
    assert not list(folder.iterdir())


def test_known_digest_is_checked(server, tmp_path, capsys):
    status = run("stories260K", tmp_path, server)
    known = fetch.MODELS["stories260K"][0].sha256
    refused(capsys, tmp_path, status, f"sha256 must be {known}, is {hashlib.sha256(CHECKPOINT).hexdigest()}")


def test_known_digest_cannot_be_overridden(server, tmp_path, capsys):
    refused(capsys, tmp_path, run("stories260K", tmp_path, server, "--sha256", "0" * 64), "the known digest", "0" * 64)


def test_given_digest_is_checked(server, tmp_path, capsys):
    refused(capsys, tmp_path, run("stories15M", tmp_path, server, "--sha256", "0" * 64), "sha256 must be 0000")


def test_http_status(server, tmp_path, capsys):
    refused(capsys, tmp_path, run("stories42M", tmp_path, server), "/stories42M.bin", "HTTP status 404")


def test_cut_off_download(server, tmp_path, capsys):
    status = run("stories15M", tmp_path, f"{server}/short")
    refused(capsys, tmp_path, status, f"ended after {len(CHECKPOINT) // 2} of {len(CHECKPOINT)} bytes")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "no address", "http://127.0.0.1:port", "http://127.0.0.1/a b"])
def test_no_server(tmp_path, capsys, url):
    refused(capsys, tmp_path, run("stories15M", tmp_path, url), "download failed")


def test_an_answer_that_is_not_http(server, tmp_path, capsys):
    refused(capsys, tmp_path, run("stories15M", tmp_path, f"{server}/garbage"), "download failed", "what is this?")


def test_unknown_model(server, tmp_path, capsys):
    refused(capsys, tmp_path, run("stories1T", tmp_path, server), "stories260K, stories15M", "'stories1T'")


def test_an_existing_file_survives_a_failed_download(server, tmp_path):
    (tmp_path / "stories15M.bin").write_bytes(b"old")
    assert run("stories15M", tmp_path, f"{server}/short") != 0
    assert (tmp_path / "stories15M.bin").read_bytes() == b"old"
