"""`make generate` with a sampler: seeds, several stories, new tokens, log-probabilities, and what is refused."""

import math
from dataclasses import replace

import pytest

from llama2_myhdl.host import generate, telling
from llama2_myhdl.host.setup import Setup
from llama2_myhdl.sim.jobs import run_group
from llama2_myhdl.spec.formats import F_FRAC
from tb.host.nano import SHAPE, options_of, told

DRAWS = ["--temperature=2", "--steps=0"]
SAMPLES = [*DRAWS, "--seed=5", "--samples=3", "--topp=0.9", "--logprobs"]


@pytest.fixture(scope="module")
def nano(tmp_path_factory):
    return [*options_of(tmp_path_factory.mktemp("nano")), "--prompt=hi"]


@pytest.fixture(scope="module")
def three(nano):
    """The result of three stories."""
    return told(nano, *SAMPLES)


def test_the_same_seed_tells_the_same_and_another_another(nano):
    one, again, other = (told(nano, *DRAWS, f"--seed={seed}") for seed in (1, 1, 2))
    assert one["golden_match"] and other["golden_match"]
    assert one["predicted_ids"] == again["predicted_ids"] != other["predicted_ids"]
    assert one["sampling"] == dict(temperature=2, top_k=0, top_p=1, min_p=0, seed=1)


def test_without_a_temperature_the_most_likely_token_is_said(nano):
    plain = told(nano, "--steps=0")
    assert plain["predicted_ids"] == told(nano, "--steps=0", "--seed=7", "--temperature=0")["predicted_ids"]
    assert plain["predicted_ids"] == told(nano, "--steps=0", "--temperature=1", "--topk=1")["predicted_ids"]
    assert not {"sampling", "stories", "logprobs"} & plain.keys()


def test_stories_side_by_side_are_those_that_each_is_alone(nano, three):
    """The first one in a build with one slot, as another user would have it; the others alone in their streams."""
    assert three["golden_match"] and len({tuple(story["predicted_ids"]) for story in three["stories"]}) == 3
    alone = told(nano, *SAMPLES, "--samples=1")
    same = ("generated_ids", "predicted_ids", "text", "stop", "logprobs", "perplexity")
    assert [alone[name] for name in same] == [three["stories"][0][name] for name in same]
    request = generate.Request(generate.parser().parse_args([*nano, *SAMPLES]))
    assert request.build.sequences == 4
    _, image, session = request.open(lambda what, done, total: None)
    with session:
        session.boot(*image)
        for job, story in zip(request.jobs, three["stories"]):
            for slot in (job.seq, 3):
                (outcome,) = run_group(session, [replace(job, seq=slot)], lambda *told: None)
                assert outcome.predictions == story["predicted_ids"]
                assert [beat["logprob"] / 2**F_FRAC for beat in outcome.tokens] == story["logprobs"]


def test_stories_are_shown_whole_each_with_its_number(nano, three, capfd):
    told(nano, *SAMPLES)
    lines = capfd.readouterr().out.splitlines()
    for number, story in enumerate(three["stories"]):
        (summary,) = (line for line in lines if line.startswith(f"story {number}: {story['positions']} tokens ("))
        assert f"(stop: {story['stop']}), mean log-probability {story['mean_logprob']:.4f}" in summary
        (text,) = (line for line in lines if line.startswith(f"story {number}: ") and line != summary)
        assert text.startswith(f"story {number}: hi")


@pytest.mark.parametrize(("cut", "too_short"), [("--topp=0.99", True), ("--topk=8", False)])
def test_a_list_that_was_too_short_is_told(nano, capfd, cut, too_short):
    short = told(nano, *DRAWS, cut)["counters"]["list_overflows"]
    line = f"{short} tokens drawn from a list that was too short for what top-p or min-p keep"
    assert (line in capfd.readouterr().out.splitlines()) == (short > 0) == too_short


@pytest.mark.parametrize("new", [1, 4, 999])
def test_new_tokens_are_counted_from_the_prompts_end(nano, new):
    result = told(nano, f"--new-tokens={new}")
    prompt = len(result["prompt_ids"])
    assert result["golden_match"]
    assert result["positions"] == min(prompt - 1 + new, SHAPE.seq_len)
    assert result["stop"] == ("context" if new == 999 else "steps")


def test_log_probabilities(nano, capfd):
    """Of greedy stories those at temperature 1; their mean is that of the sampled tokens."""
    result = told(nano, "--steps=0", "--logprobs")
    unscored = len(result["prompt_ids"]) - 1
    sampled = result["logprobs"][unscored:]
    assert result["golden_match"] and result["logprobs"][:unscored] == [0] * unscored
    assert all(logprob < 0 for logprob in sampled)
    assert result["mean_logprob"] == pytest.approx(sum(sampled) / len(sampled))
    assert result["perplexity"] == pytest.approx(math.exp(-result["mean_logprob"]))
    assert f"perplexity {result['perplexity']:.3f}\n" in capfd.readouterr().out
    within = told(nano, "--steps=1", "--logprobs")
    assert within["mean_logprob"] is within["perplexity"] is None


def test_one_wrong_beat_of_one_story_is_seen(nano, monkeypatch, capfd):
    right = telling.Checker.finish

    def wrong(checker):
        answers = right(checker)
        answers.beats[1][2] = replace(answers.beats[1][2], logprob=answers.beats[1][2].logprob + 1)
        return answers

    monkeypatch.setattr(telling.Checker, "finish", wrong)
    result = told(nano, *SAMPLES, status=1)
    assert [story["golden_match"] for story in result["stories"]] == [True, False, True]
    assert "DIFFERENT from the integer model" in capfd.readouterr().out


HOT = "--temperature=1"


@pytest.mark.parametrize(
    "options, words",
    [
        (["--temperature=nan"], ["temperature", "0 (greedy) or 0.015625 to 1024", "nan"]),
        (["--temperature=-1"], ["temperature", "0 (greedy) or 0.015625 to 1024", "-1"]),
        (["--temperature=0.01"], ["temperature", "0.015625", "0.01"]),
        (["--temperature=1025"], ["temperature", "1024", "1025"]),
        ([HOT, "--topk=65"], ["top_k", "0 to 64", "65"]),
        ([HOT, "--topk=-1"], ["top_k", "0 to 64", "-1"]),
        ([HOT, "--topk=9", "--config=nano"], ["top_k", "at most 8", "nano", "9"]),
        ([HOT, "--topp=1.1"], ["top_p", "0 to 1", "1.1"]),
        ([HOT, "--minp=-0.1"], ["min_p", "0 to 1", "-0.1"]),
        (["--topk=40", "--minp=0.1"], ["top_k, min_p", "temperature must be given"]),
        (["--seed=-1"], ["seed", "0 to 4294967295", "-1"]),
        (["--seed=4294967296"], ["seed", "0 to 4294967295", "4294967296"]),
        ([HOT, "--samples=0"], ["samples", "1 to 64", "0"]),
        ([HOT, "--samples=65"], ["samples", "1 to 64", "65"]),
        (["--samples=2"], ["samples", "must be 1 at temperature 0", "2"]),
        ([HOT, "--samples=2", "--trace"], ["trace", "samples must be 1", "2"]),
        ([HOT, "--samples=2", "--taps=x.npz"], ["taps", "samples must be 1", "2"]),
        (["--new-tokens=-1"], ["new_tokens", "at least 0", "-1"]),
        ([HOT, "--config=ecp5-85f"], ["temperature", "ecp5-85f", "no sampler (list_entries = 0)"]),
        (["--new-tokens=4", "--logprobs", "--config=ulx3s"], ["new_tokens, logprobs", "ulx3s", "list_entries = 0"]),
    ],
)
def test_what_cannot_be_is_one_line_before_anything_is_made(options, words, monkeypatch, capfd):
    monkeypatch.setattr(Setup, "open", None)
    assert generate.main(options) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("generate: ")
    assert all(word in err for word in words), err


def test_a_build_without_a_sampler_still_tells_greedy_stories(monkeypatch):
    request = generate.Request(generate.parser().parse_args(["--config=ulx3s", "--seed=3"]))
    assert request.build.list_entries == 0 and request.jobs[0].request.sampling.greedy
