"""The pictures of the report, as SVG to be put into a page."""

import io
from collections import Counter, defaultdict

import matplotlib

from llama2_myhdl.regress.results import Case

SLOWEST = 15
HEIGHT_A_BAR = 0.28  # inches


def _svg(draw, bars: int) -> str:
    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 1 + HEIGHT_A_BAR * bars), layout="constrained")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    draw(axes)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    text = buffer.getvalue()
    return text[text.index("<svg"):]


def slowest(cases: list[Case]) -> str:
    """The tests that take longest, each the mean over the seeds."""
    seconds = defaultdict(list)
    for case in cases:
        seconds[f"{case.block}: {case.name}"].append(case.seconds)
    means = {name: sum(all_) / len(all_) for name, all_ in seconds.items()}
    shown = sorted(means.items(), key=lambda item: item[1])[-SLOWEST:]

    def draw(axes):
        bars = axes.barh([name for name, _ in shown], [mean for _, mean in shown], color="#4477aa")
        axes.bar_label(bars, fmt="%.1f", padding=3)
        axes.set_xlabel("seconds a seed")

    return _svg(draw, len(shown))


def values(cases: list[Case]) -> str:
    """Values compared, by block and seed."""
    by_block = defaultdict(Counter)
    for case in cases:
        by_block[case.block][case.seed] += case.values
    seeds = sorted({case.seed for case in cases})

    def draw(axes):
        left = Counter()
        for block, counts in sorted(by_block.items()):
            axes.barh([str(seed) for seed in seeds], [counts[seed] for seed in seeds],
                      left=[left[seed] for seed in seeds], label=block)  # fmt: skip
            left += counts
        axes.set_xlabel("values compared")
        axes.set_ylabel("seed")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)

    return _svg(draw, max(len(seeds), len(by_block)))
