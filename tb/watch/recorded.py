"""A recorded run on the nano build, its page, and the integer model beside it, for tests of what they say."""

from dataclasses import dataclass
from pathlib import Path

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.host.display import Story
from llama2_myhdl.host.telling import Told, simulate
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.watch.recording import recording
from llama2_myhdl.watch.run import Watched, parser
from llama2_myhdl.weights.cache import quantised
from tb.decoder.builds import BUILDS
from tb.host.nano import options_of

# stories that a recording is tested with; the second build is compiled by other tests too
ALONE = ["--steps=7"], None
TOGETHER = ["--samples=3", "--temperature=1", "--steps=5"], BUILDS["two engines for three layers"][0]


@dataclass(frozen=True)
class Recorded:
    """A request, what was told, and its recording."""

    request: Watched
    told: Told
    run: dict

    def golden(self, story: int) -> list[tuple[int, dict]]:
        """The integer model's best token and taps at every position of a story, fed what the hardware was fed."""
        model = FixedModel(quantised(self.request._model, checkpoint=self.request.checkpoint), self.request.build)
        found = []
        for pos, token in enumerate(self.told.inputs[story][: len(self.told.outcomes[story].tokens)]):
            taps = {}
            found.append((int(model.forward(token, pos, taps).argmax()), taps))
        return found


def recorded(folder: Path, *options: str, build: BuildConfig | None = None) -> Recorded:
    """Of a random model; its files are written to the folder. build: in place of that of the options."""
    page = ["--output", str(folder / "page.html")]
    request = Watched(parser().parse_args([*options_of(folder), "--prompt", "hi", *page, *options]))
    request.build = build or request.build
    told = simulate(request, Story())
    return Recorded(request, told, recording(request, told, "verilator"))
