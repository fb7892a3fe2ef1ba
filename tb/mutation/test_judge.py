"""The sample, and the verdict that tests and proof lead to: with trials that are not run."""

import pytest

from llama2_myhdl.mutation import covers, judge
from llama2_myhdl.mutation.covers import KnownTest, Module, nearest, read_entries
from llama2_myhdl.mutation.judge import EQUIVALENT, Judge, within
from llama2_myhdl.mutation.places import places
from llama2_myhdl.mutation.sample import LEAST, Mutant, ordered, places_in, sample, shares, text_to_change
from llama2_myhdl.mutation.trial import KILLED, SURVIVED, Outcome

SMALL = "assign q = a + b;\n"
TEXTS = {
    "own": "".join(f"assign q{k} = a[{k + 9}:{k + 1}] + b;\n" for k in range(8)),
    "other": SMALL,
    "top": "assign z = x && y;\n",
}
TEXTS["given"] = "module part #(\n    parameter WIDTH = 4\n) (input a, output q);\nassign q = a && 1;\nendmodule\n"
TEXTS["longer"] = TEXTS["own"] + SMALL
OWN, OTHER, TOP = Module("m_part", "part", "own"), Module("m_part", "part", "other"), Module("m_whole", "whole", "top")
TESTS = [
    KnownTest("tb/mutation/test_judge.py::whole", 1.0, ((OTHER, TOP), (TOP,))),
    KnownTest("tb/mutation/test_judge.py::part", 3.0, ((OWN,),)),
    KnownTest("tb/mutation/test_judge.py::part_and_whole", 9.0, ((OWN, TOP),)),
]


@pytest.fixture(autouse=True)
def texts(monkeypatch):
    for module in (covers, judge):
        monkeypatch.setattr(module, "text_of", TEXTS.__getitem__)
    monkeypatch.setattr("llama2_myhdl.mutation.sample.text_of", TEXTS.__getitem__)


@pytest.fixture
def trials(monkeypatch):
    """Lists of the tests that were run; `fatal`: those that fail; `same`: whether the proof succeeds."""

    class Trials:
        asked, fatal, same, proofs = [], set(), False, 0

        def __init__(self, folder):
            pass

        def run(self, block, place, nodes, seconds):
            self.asked.append([node.partition("::")[2] for node in nodes])
            failed = next((node for node in nodes if node in self.fatal), None)
            return Outcome(KILLED if failed else SURVIVED, failed, 1.0)

        @classmethod
        def proved(cls, *_):
            cls.proofs += 1
            return cls.same

    monkeypatch.setattr(judge, "Trials", Trials)
    monkeypatch.setattr(judge, "proved", Trials.proved)
    return Trials


MUTANT = Mutant("part", "own", places(TEXTS["own"])[0])


def test_read_entries_the_block_alone_come_first():
    assert [test.node.partition("::")[2] for test in nearest(TESTS, "part")] == ["part", "whole", "part_and_whole"]
    assert text_to_change(TESTS, "part") == "own" and text_to_change(TESTS[:1], "part") == "other"
    assert within(TESTS, 4.0) == TESTS[:2] and within(TESTS, 0.5) == TESTS[:1]


def test_a_record_is_read():
    own, top = ([list(vars(module).values())] for module in (OWN, TOP))
    entries = [
        dict(test="a", modules=own), dict(test="a", seconds=2), dict(test="b", seconds=1),
        dict(test="failed", modules=top),
    ]  # fmt: skip
    assert read_entries(entries) == [KnownTest("a", 2, ((OWN,),))]


def test_a_proof_is_of_the_text_that_has_the_fault(trials, tmp_path):
    """Also where the cheapest tests have another one, with the same place in it."""
    cheap = KnownTest("tb/mutation/test_judge.py::longer", 1.0, ((Module("m_part", "part", "longer"),),))
    trials.same = True
    assert Judge([cheap, TESTS[2]], tmp_path).verdict(MUTANT)[0].verdict == EQUIVALENT
    assert trials.asked == [["longer"]]


def test_killed_by_its_own_test(trials, tmp_path):
    trials.fatal = {TESTS[1].node}
    found, known = Judge(TESTS, tmp_path).verdict(MUTANT)
    assert (found.verdict, found.test, known) == (KILLED, TESTS[1].node, False)
    assert trials.asked == [["part"]] and not trials.proofs


def test_killed_further_off(trials, tmp_path):
    """By a test that simulates a text with the place; the one whose text has none is not asked."""
    trials.fatal = {TESTS[0].node, TESTS[2].node}
    assert Judge(TESTS, tmp_path).verdict(MUTANT)[0].test == TESTS[2].node
    assert trials.asked == [["part"], ["part_and_whole"]] and trials.proofs == 1


def test_what_survives_and_what_is_proved(trials, tmp_path):
    assert Judge(TESTS, tmp_path / "a").verdict(MUTANT)[0].verdict == SURVIVED
    trials.same = True
    assert Judge(TESTS, tmp_path / "b").verdict(MUTANT)[0].verdict == EQUIVALENT


def test_a_verdict_is_kept_until_what_it_rests_on_changes(trials, tmp_path):
    trials.fatal = {TESTS[1].node}
    first = Judge(TESTS, tmp_path).verdict(MUTANT)[0]
    assert Judge(TESTS, tmp_path).verdict(MUTANT) == (first, True)
    assert Judge([TESTS[1]], tmp_path).verdict(MUTANT) == (first, True)  # others do not matter
    changed = KnownTest(TESTS[1].node, 3.0, ((OWN, OTHER),))
    assert not Judge([changed], tmp_path).verdict(MUTANT)[1]
    assert len(trials.asked) == 2


def test_a_survivor_is_tried_again_with_another_test(trials, tmp_path):
    assert Judge(TESTS[:2], tmp_path).verdict(MUTANT)[0].verdict == SURVIVED
    trials.fatal = {TESTS[2].node}
    assert Judge(TESTS, tmp_path).verdict(MUTANT)[0].verdict == KILLED


def test_defaults_of_parameters_count_where_they_are_used():
    """Those of a block that no test has as its top are never looked at."""
    lines = [[place.line for place in places_in(tests, "part", "given")] for tests in (TESTS, TESTS[:1])]
    assert [line for line in lines[0] if line != "parameter WIDTH = 4"] == lines[1] != lines[0]


def test_a_sample_grows_and_keeps_what_it_has():
    few, many = (sample(TESTS, ["part", "whole"], count, 1) for count in (4, 14))
    assert set(few) < set(many) and [mutant.block for mutant in few[:2]] == ["part", "whole"]
    assert set(sample(TESTS, ["part", "whole"], 14, 2)) != set(many)


def test_every_kind_comes_early():
    found = places(TEXTS["own"])
    assert {place.kind for place in ordered(found, "seed")[:2]} == {"operator", "width"}
    assert sorted(map(repr, ordered(found, "seed"))) == sorted(map(repr, found))


def test_shares():
    assert shares(dict(few=2, some=10, many=100), 1) == dict(few=1, some=1, many=1)
    assert shares(dict(few=2, some=10, many=100), 12) == dict(few=2, some=LEAST, many=LEAST + 2)
    assert sum(shares(dict(some=50, many=250), 150).values()) == 150
    assert shares(dict(few=2, some=10), 99) == dict(few=2, some=10)
