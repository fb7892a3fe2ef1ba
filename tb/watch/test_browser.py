"""The page in Chromium, on a desktop and on a phone: what it shows is what its recording says (`make browser`)."""

import math
import threading

import pytest

from llama2_myhdl.watch import page
from llama2_myhdl.watch.server import Server

pytestmark = pytest.mark.browser

DESKTOP, PHONE = dict(width=1280, height=900), dict(width=360, height=740)
UNIT = 2.0**-20
SHAPES = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])


@SHAPES
def test_facts_of_a_token(alone, opened, viewport):
    address, run = alone
    seen = opened(address, viewport=viewport)
    for index in (0, 3, len(run["tokens"]) - 1):
        seen.to(index)
        token = run["tokens"][index]
        width = token["end"] - token["first"]
        # 1, 2, 3: the text so far, the number of tokens, the token's cycles
        assert seen.page.locator("#texts i:not(.future)").count() == index + 1
        shown = "".join(seen.page.locator("#texts i:not(.future)").all_text_contents())
        assert shown == "".join(one["text"] for one in run["tokens"][: index + 1])
        now = seen.text("#now")
        assert now.startswith(f"token {index + 1} of {len(run['tokens'])}: position {token['pos']}, ")
        assert f", {token['cycles']:,} cycles" in now
        # 4: busy shares, in the diagram and in the table
        for unit, busy in zip(run["units"], token["busy"]):
            group = seen.page.locator(f"#diagram [data-unit={unit}]")
            assert float(group.get_attribute("data-share")) == pytest.approx(busy / width, abs=1e-4)
            assert group.locator(".share").inner_html() == f"{100 * busy / width:.1f}%"
        assert [row[1] for row in seen.cells("#unit-rows")] == [f"{busy:,}" for busy in token["busy"]]
        # 5, 6: cycles by cause, of the token and of the run
        causes = seen.cells("#stall-rows")
        assert [row[1] for row in causes] == [f"{count:,}" for count in token["causes"]]
        whole = [sum(station[cause] for station in run["counters"]) for cause in run["causes"]]
        assert [row[3] for row in causes] == [f"{count:,}" for count in whole]
        # 7: the largest logits, fixed and float
        rows = seen.page.locator("#logit-rows tr").evaluate_all("rows => rows.map(row => Number(row.dataset.id))")
        assert rows == [number for number, _, _ in token["top"]]
        values = [(float(row[2]), float(row[3])) for row in seen.cells("#logit-rows")]
        assert values == [
            (pytest.approx(fixed * UNIT, abs=1e-4), pytest.approx(real, abs=1e-4)) for _, fixed, real in token["top"]
        ]
        chosen = seen.page.locator("#logit-rows .chosen")
        assert chosen.count() == (token["sampled"] and token["said"] in rows)
        # 8: the cache
        layers = run["shape"]["n_layers"]
        held = (index + 1) * layers
        assert seen.page.locator("#cache-fill").get_attribute("data-held") == str(held)
        part = held / (run["shape"]["seq_len"] * layers)
        assert float(seen.text("#cache-fill").split("%")[0]) == pytest.approx(100 * part, abs=0.06)
        filled = seen.page.locator("#cache-grids .full").first.get_attribute("width")
        assert float(filled) == pytest.approx(100 * part, abs=0.01)


@SHAPES
def test_a_tap_has_its_fixed_and_float_values(alone, opened, viewport):
    address, run = alone
    seen = opened(address, viewport=viewport)
    seen.to(4)
    for name, layer in (("q", 1), ("swiglu", 0), ("logits", 0), ("x_layer", 1)):
        seen.page.select_option("#tap", name)
        if name != "logits":
            seen.page.select_option("#layer", str(layer))
        tap, unit = run["tokens"][4]["taps"][name][layer], run["taps"][name]["unit"]
        rows = seen.cells("#tap-rows")
        assert [int(row[0]) for row in rows] == run["taps"][name]["elements"]
        assert [float(row[1]) for row in rows] == pytest.approx([value * unit for value in tap["fixed"]], abs=1e-5)
        assert [float(row[2]) for row in rows] == pytest.approx(tap["float"], abs=1e-5)
        assert seen.page.locator("#tap-chart .fixed").count() == len(tap["fixed"])
        assert seen.page.locator("#tap-chart .float").count() == len(tap["float"])
        assert f": {tap['error']:#.3g}," in seen.text("#tap-error")


def bars(runs: list[int], first: float, end: float) -> int:
    """Busy runs that reach into a part of the token's cycles; all of them are more than a pixel apart."""
    at, count = 0, 0
    for idle, busy in zip(runs[::2], runs[1::2]):
        at += idle
        count += at < end and at + busy > first
        at += busy
    return count


@SHAPES
def test_the_chart_zooms_and_pans(alone, opened, viewport):
    address, run = alone
    seen = opened(address, viewport=viewport)
    seen.to(2)
    token, chart = run["tokens"][2], seen.page.locator("#chart")
    width = token["end"] - token["first"]

    def shown() -> tuple[int, int]:
        return int(chart.get_attribute("data-from")), int(chart.get_attribute("data-to"))

    def right_bars() -> None:
        first, end = shown()
        for k, unit in enumerate(run["units"]):
            count = int(chart.locator(f"[data-unit={unit}]").get_attribute("data-bars"))
            assert abs(count - bars(token["spans"][k], first, end)) <= 1  # a view's edge may lie inside a cycle

    assert shown() == (0, width)
    for _ in range(4):
        seen.page.click("#zoom-in")
    first, end = shown()
    assert end - first == pytest.approx(width / 16, abs=1) and first + end == pytest.approx(width, abs=2)
    right_bars()
    seen.page.click("#pan-right")
    assert shown()[0] == pytest.approx(first + width / 32, abs=1)
    right_bars()
    seen.page.keyboard.press("Shift+ArrowLeft")
    assert shown()[0] == pytest.approx(first + width / 64, abs=1)
    seen.page.keyboard.press("ArrowRight")  # another token keeps what is looked at
    assert shown()[1] - shown()[0] == pytest.approx(width / 16, abs=1)
    seen.page.keyboard.press("0")
    following = run["tokens"][3]
    assert shown() == (0, following["end"] - following["first"])


def test_dragging_pans_and_a_click_moves_the_playhead(alone, opened):
    address, run = alone
    seen = opened(address, viewport=DESKTOP)
    seen.to(2)
    for _ in range(2):
        seen.page.click("#zoom-in")
    chart = seen.page.locator("#chart")
    chart.scroll_into_view_if_needed()
    box, before = chart.bounding_box(), int(chart.get_attribute("data-from"))
    middle = box["x"] + box["width"] / 2, box["y"] + 60
    seen.page.mouse.move(*middle)
    seen.page.mouse.down()
    seen.page.mouse.move(middle[0] - 100, middle[1], steps=5)
    seen.page.mouse.up()
    moved = int(chart.get_attribute("data-from"))
    assert moved > before
    seen.page.mouse.click(*middle)
    assert int(chart.get_attribute("data-from")) == moved
    assert float(chart.locator("#head").get_attribute("x1")) == pytest.approx(box["width"] / 2, abs=2)
    assert seen.text("#doing").startswith("layer ")


def test_it_plays_and_pauses(alone, opened):
    from playwright.sync_api import expect

    address, run = alone
    seen = opened(address, viewport=DESKTOP)
    assert seen.page.locator("#play").get_attribute("aria-label") == "play"
    seen.page.select_option("#speed", "16")
    seen.page.locator("body").press(" ")
    expect(seen.page.locator("#texts i.future")).to_have_count(0)
    expect(seen.page.locator("#play")).to_have_attribute("aria-label", "play")
    assert seen.text("#now").startswith(f"token {len(run['tokens'])} of ")
    seen.page.locator("body").press("Home")
    seen.page.select_option("#speed", "0.1")
    seen.page.click("#play")
    expect(seen.page.locator("#doing")).to_contain_text("layer ")
    seen.page.click("#play")
    assert seen.page.locator("#play").get_attribute("aria-label") == "play"
    seen.page.fill("#scrub", "5")
    assert seen.text("#now").startswith("token 6 of ")


@SHAPES
def test_several_stories_and_engines_are_lanes(together, opened, viewport):
    address, run = together
    seen = opened(address, viewport=viewport)
    assert seen.page.locator("#texts p").count() == len(run["stories"]) == 3
    assert seen.page.locator("#run .lane").count() == len(run["stations"]) == 3
    for station in range(3):
        stays = sum(station in token["stages"][::5] for token in run["tokens"])
        assert seen.page.locator(f"#run .token[data-station='{station}']").count() == stays == len(run["tokens"])
    seen.page.locator("#run .token").nth(12).dispatch_event("click")
    index = int(seen.page.locator("#run .token").nth(12).get_attribute("data-index"))
    token = run["tokens"][index]
    assert f"story {token['story']}, position {token['pos']}" in seen.text("#now")
    seen.page.keyboard.press("End")
    for story in range(3):
        own = [one for one in run["tokens"] if one["story"] == story]
        line = seen.page.locator(f"#texts p[data-story='{story}']").text_content()
        assert line == "".join(one["text"] for one in own)
        cached = seen.page.locator(f"#cache-grids [data-story='{story}']").get_attribute("data-positions")
        assert int(cached) == len(own)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@SHAPES
def test_it_can_be_read(alone, opened, viewport, scheme):
    """Nothing is wider than the screen; texts have contrast; everything that is operated has a name and a size."""
    seen = opened(alone[0], viewport=viewport, color_scheme=scheme)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    colours = seen.page.evaluate(
        "names => names.map(name => [name, getComputedStyle(document.documentElement).getPropertyValue(name).trim()])",
        ["--ink", "--quiet", "--accent", "--good", "--bad", "--card", "--paper", "--box", "--on-accent"],
    )
    light = {name: luminance(value) for name, value in colours}
    pairs = [(text, ground) for text in ("--ink", "--quiet") for ground in ("--card", "--paper", "--box")]
    pairs += [("--accent", "--paper"), ("--good", "--paper"), ("--bad", "--paper"), ("--on-accent", "--accent")]
    for text, ground in pairs:
        high, low = sorted((light[text], light[ground]), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)
    dark = light["--ink"] > light["--paper"]
    assert dark == (scheme == "dark")
    controls = seen.page.locator("button, select, input")
    for k in range(controls.count()):
        one = controls.nth(k)
        named = "e => e.getAttribute('aria-label') || e.labels.length || e.tagName === 'BUTTON' && e.textContent.trim()"
        assert one.evaluate(named)
        box = one.bounding_box()
        assert min(box["width"], box["height"]) >= 24
    seen.page.click("#theme")
    assert seen.page.evaluate("document.documentElement.dataset.theme") == ("light" if dark else "dark")


def luminance(colour: str) -> float:
    """Relative, as the guidelines for contrast have it; of #rrggbb."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else math.pow((part + 0.055) / 1.055, 2.4) for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_it_is_the_same_from_the_server(alone, opened, tmp_path):
    _, run = alone
    with Server(0, {"/": ("text/html; charset=utf-8", page.html(run))}) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            seen = opened(server.address, viewport=DESKTOP)
            assert seen.text("#now").startswith(f"token 1 of {len(run['tokens'])}")
            assert seen.page.evaluate("fetch('/').then(() => 'left', () => 'held')") == "held"
        finally:
            server.shutdown()
            thread.join()
    assert seen.said and all("Content Security Policy" in line for line in seen.said)
    seen.said.clear()
