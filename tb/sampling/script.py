"""Inputs of a block cycle by cycle, and what its outputs must be in which of them."""
from collections import Counter, defaultdict


class Script:
    """A test as a list of cycles, for `tb.pipeline.apply` and `tb.myhdl_sim.simulate` with latency 0.

    `inputs`: one dict of port name to int a cycle; `wanted`: by cycle the outputs that are defined, by name; `now`: the
    cycle that `cycle` will add; `seen`: what a test counts of the cases that it has met.
    """

    def __init__(self):
        self.inputs, self.wanted, self.seen = [], defaultdict(dict), Counter()

    @property
    def now(self) -> int:
        return len(self.inputs)

    def cycle(self, **inputs) -> int:
        """Add a cycle; its number."""
        self.inputs.append(inputs)
        return self.now - 1

    def expect(self, cycle: int, **outputs) -> None:
        """These outputs are to be seen in that cycle."""
        self.wanted[cycle].update(outputs)

    def forget(self) -> None:
        """Nothing is expected any more from here on."""
        for cycle in [cycle for cycle in self.wanted if cycle >= self.now]:
            del self.wanted[cycle]

    def compare(self, found) -> int:
        """Values that agree, all that were expected; AssertionError at the first that does not."""
        count = 0
        for cycle in sorted(self.wanted):
            for name, value in self.wanted[cycle].items():
                assert found[cycle][name] == value, f"cycle {cycle}: {name} is {found[cycle][name]}, not {value}"
                count += 1
        return count
