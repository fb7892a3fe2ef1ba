"""The page and its server without a browser, and what a command line may ask for."""

import http.client
import json
import re
import threading

import pytest

from llama2_myhdl.watch import limits, page, run
from llama2_myhdl.watch.recording import _spans, _stages
from llama2_myhdl.watch.server import HOST, Server
from tb.host.nano import options_of
from tb.watch.recorded import recorded


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("page"), "--steps=3").run


def test_the_page_holds_its_recording_and_asks_for_nothing(told):
    text = page.html(told).decode()
    (data,) = re.findall(r'<script type="application/json" id="recording">(.*?)</script>', text)
    assert json.loads(data) == json.loads(page.compact(told)) == told
    assert "default-src 'none'" in text
    outside = set(re.findall(r"https?://[^\s\"'<]+", text))
    assert outside == {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert not re.findall(r"""<(?:script|link|img|iframe)[^>]*(?:src|href)=["'](?!data:)""", text)


def test_text_of_a_model_stays_text(told):
    evil = "</script><script>alert(1)</script><b>&amp;"
    token = told["tokens"][0] | dict(text=evil)
    text = page.html(told | dict(tokens=[token, *told["tokens"][1:]], model=evil)).decode()
    assert "<script>alert" not in text and "<b>" not in text
    (data,) = re.findall(r'id="recording">(.*?)</script>', text)
    assert json.loads(data)["tokens"][0]["text"] == evil


def test_a_page_that_is_too_large_is_refused(told, monkeypatch):
    monkeypatch.setattr(page, "PAGE_BYTES", 1000)
    with pytest.raises(page.PageError, match=r"^page: must have at most 1,000 bytes, has [\d,]+; fewer STEPS"):
        page.html(told)


def test_long_runs_are_thinned_evenly():
    assert limits.spread(5, 8) == [0, 1, 2, 3, 4]
    assert limits.spread(100, 4) == [0, 33, 66, 99] and limits.spread(9, 1) == [0]
    assert limits.elements(64, 29) == 52 and limits.elements(1, 1) == limits.ELEMENTS
    assert limits.elements(10**6, 100) == 1
    # what all tensors of the longest run have, in numbers
    tensors = 7 * limits.LAYERS + 1
    assert limits.TOKENS * tensors * (2 * limits.elements(limits.TOKENS, tensors) + 2) <= limits.TAP_NUMBERS
    assert limits.coarse(lambda gap: [[0] * (64 // gap)], 20) == (4, [[0] * 16])


def test_gaps_close_and_short_stages_join():
    spans = {"matvec": [[10, 3], [15, 2], [40, 5]]}
    rows = [dict(station=0, layer=0, stage=stage, cycle=at, cycles=n, spans={}) for stage, at, n in
            (("gains", 10, 9), ("Wk", 19, 1), ("wait", 20, 8), ("Wk", 28, 3))]  # fmt: skip
    assert _spans([rows[0] | dict(spans=spans)], 8, 1)[0] == [2, 3, 2, 2, 23, 5]
    assert _spans([rows[0] | dict(spans=spans)], 8, 4)[0] == [2, 7, 23, 5]
    names = [_stages(rows, 10, gap)[2::5] for gap in (1, 4)]
    assert [len(found) for found in names] == [4, 2]
    assert _stages(rows, 10, 4)[3::5] == [0, 10] and _stages(rows, 10, 4)[4::5] == [10, 11]


def test_the_server_has_what_it_was_given_and_nothing_else():
    with Server(0, {"/": ("text/html", b"page"), "/page.json": ("application/json", b"{}")}) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found = {}
        for path in ("/", "/page.json", "/etc/passwd", "/../setup.cfg", "/?"):
            connection = http.client.HTTPConnection(HOST, server.server_address[1])
            connection.request("GET", path)
            answer = connection.getresponse()
            found[path] = answer.status, answer.read() if answer.status == 200 else b""
            connection.close()
        server.shutdown()
        thread.join()
    assert server.address == f"http://127.0.0.1:{server.server_address[1]}/"
    none = {path: (404, b"") for path in ("/etc/passwd", "/../setup.cfg", "/?")}
    assert found == {"/": (200, b"page"), "/page.json": (200, b"{}")} | none


def test_a_port_in_use_is_one_line():
    with Server(0, {}) as server, pytest.raises(OSError, match=r"^port \d+: cannot be listened at: Address"):
        Server(server.server_address[1], {})


def test_the_command_writes_page_and_recording(tmp_path, capfd):
    target = tmp_path / "out.html"
    assert run.main([*options_of(tmp_path), "--prompt=hi", "--steps=3", f"--output={target}"]) == 0
    written = json.loads((tmp_path / "out.json").read_text())
    assert page.html(written) == target.read_bytes()
    assert "3 tokens, equal to the integer model\n" in capfd.readouterr().out


@pytest.mark.parametrize(
    "options, words",
    [
        (["--samples=60", "--temperature=1"], "positions: a page has room for 256, stories may have 960"),
        (["--port=65536"], "port: must be 0 to 65535, is 65536"),
        (["--output=page.html", "--json=page.html"], "json: must be another file than the page, is page.html"),
        (["--output=nowhere/page.html"], "nowhere/page.html: there is no folder"),
    ],
)
def test_what_cannot_be_shown_is_one_line(options, words, tmp_path, capsys, monkeypatch):
    model = options_of(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    assert run.main([*model, "--prompt=hi", "--output=page.html", *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"watch: {words}")
    assert set(tmp_path.iterdir()) == before
