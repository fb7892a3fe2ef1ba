"""The generated sections of the README, each between a pair of markers of its own."""

from llama2_myhdl.base.folders import PROJECT

README = PROJECT / "README.md"


class ReadmeError(ValueError):
    """The README has not exactly one pair of a section's markers."""


def markers(section: str) -> tuple[str, str]:
    """Begin and end of a section."""
    return f"<!-- {section} -->", f"<!-- /{section} -->"


def insert(text: str, section: str, block: str) -> str:
    """The text with the lines between the markers replaced by the block; ReadmeError when the markers are not there."""
    begin, end = markers(section)
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ReadmeError(f"README.md: must hold {begin} and {end} once each, in this order")
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n\n{block}\n{end}{rest.partition(end)[2]}"
