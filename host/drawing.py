"""Pictures by matplotlib, as SVG: the same bytes every time."""

import io

import matplotlib


def canvas(rows: int, height: float, columns: int = 1):
    """A figure and its axes, a row of them a list."""
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "llama2.myhdl"
    from matplotlib import pyplot

    options = dict(figsize=(12, height), layout="constrained", facecolor="white", squeeze=False)
    return pyplot.subplots(rows, columns, **options)


def svg(figure) -> bytes:
    """The figure's file; the figure is closed."""
    from matplotlib import pyplot

    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    return buffer.getvalue()
