"""Proofs by Yosys on a skid buffer: what is the same hardware is proved, faults are not, and no more is claimed."""

import hashlib

import pytest

from llama2_myhdl.mutation import equivalence
from llama2_myhdl.mutation.covers import Module
from llama2_myhdl.mutation.places import Place
from llama2_myhdl.mutation.sample import Mutant
from llama2_myhdl.rtl.stream.skid import ports, skid
from llama2_myhdl.sim.build import converted
from tb.stream.buffer_cocotb import beats

pytestmark = pytest.mark.syn

KEPT = "s_ready <= !(full || accept);"
SAME = [
    Place("operator", KEPT, 0, 13, "full || accept", "accept || full"),
    Place("operator", KEPT, 0, 13, "full || accept", "full ^ accept"),  # never both, behind a reset
]
FAULTS = [
    Place("operator", KEPT, 0, 13, "full || accept", "full && accept"),
    Place("reset", "full <= 1'b0;", 0, 0, "full <= 1'b0;", ";"),
    Place("reset", "m_valid <= 1'b0;", 0, 0, "m_valid <= 1'b0;", ";"),
    Place("assignment", "spare <= entry;", 0, 0, "spare <= entry;", ";"),
]

PARAMETERS = "module llama_skid #(\n    parameter W = 1\n) ("


@pytest.fixture
def modules(monkeypatch):
    texts = {}

    def kept(module) -> Module:
        text = module.file.read_text()
        digest = hashlib.sha256(text.encode()).hexdigest()
        texts[digest] = text
        return Module(module.name, module.block, digest)

    found = tuple(kept(module) for module in converted(skid, ports(beats())))
    monkeypatch.setattr(equivalence, "text_of", texts.__getitem__)
    return found


@pytest.mark.parametrize("place", [*SAME, *FAULTS])
def test_what_is_the_same_is_proved_and_no_fault(place, modules, tmp_path):
    mutant = Mutant("skid", modules[-1].digest, place)
    assert equivalence.proved(mutant, modules, tmp_path) == (place in SAME)


def test_modules_with_parameters_are_not_tried(modules, monkeypatch, tmp_path):
    text = equivalence.text_of(modules[-1].digest)
    monkeypatch.setattr(equivalence, "text_of", lambda digest: text.replace("module llama_skid (", PARAMETERS))
    assert not equivalence.proved(Mutant("skid", modules[-1].digest, SAME[0]), modules, tmp_path)
    assert not list(tmp_path.glob("gate*"))
