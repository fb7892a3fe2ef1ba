"""The measurements behind the published figures: each function runs something and returns its numbers.

What they need and do not find they name in a `Missing`.
"""

import hashlib
import json
import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path

from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.golden.accuracy import evaluation_tokens, spread
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.golden.sampling import EVALUATION_SEED
from llama2_myhdl.hdl.progress import silent
from llama2_myhdl.host.accuracy import evaluate
from llama2_myhdl.host.bench_machine import FILES, SIM, check
from llama2_myhdl.host.bench_scenarios import Stories
from llama2_myhdl.host.bus_measure import POSITIONS as POSITIONS_OF
from llama2_myhdl.host.bus_measure import measure as measure_bus
from llama2_myhdl.host.perplexity import Text, measure, parser
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.rtl.decoder import decoder as top
from llama2_myhdl.rtl.decoder import ports
from llama2_myhdl.rtl.verilog import write_verilog
from llama2_myhdl.sim.jobs import Job, Outcome, run
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.presets import PRESETS, build_of
from llama2_myhdl.spec.program import tape_beats
from llama2_myhdl.syn.pnr import best
from llama2_myhdl.syn.subjects import of_block, write_sources
from llama2_myhdl.weights.cache import quantised, tape_file
from llama2_myhdl.weights.models import DEFAULT, MODELS_VARIABLE, stories260k

POSITIONS = 256  # of the stories that are compared with llama2.c's
AGREEMENT_BUILD = build_of("stories260K", lanes=64)
PERPLEXITY_CONFIG = "default"  # it holds both models
TOKENIZERS = {"default": "tokenizer.bin", "stories260K": "tok512.bin"}  # beside the checkpoints
ACCURACY_POSITIONS, ACCURACY_SEEDS = 2048, 5


class Missing(ValueError):
    """Something a measurement needs is not there; the text says what to do."""


def checkpoint_path(model: str) -> Path:
    """File of "stories260K" or of the shipped "default"."""
    if model == "default":
        return DEFAULT / "model.bin"
    path = stories260k()
    if path is None:
        raise Missing(f"needs {MODELS_VARIABLE}, a folder with stories260K.bin and tok512.bin")
    return path


def digest(parts: list[bytes]) -> str:
    """Changes with any of the parts."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def source_digest(*patterns: str) -> str:
    """Changes with the files of the patterns, which start at the root of the project."""
    return digest([file.read_bytes() for pattern in patterns for file in sorted(PROJECT.glob(pattern))])


def _model_files(model: str) -> list[str]:
    """Patterns of what a model's integer weights come from; stories260K itself is one file for ever."""
    return ["weights/*.py", *(["weights/default/model.bin"] if model == "default" else [])]


@cache
def decoder_digest(build: BuildConfig) -> str:
    """Changes with the decoder's Verilog."""
    with tempfile.TemporaryDirectory() as folder:
        modules = write_verilog(top, Path(folder), **ports(build))
        return digest([module.file.read_bytes() for module in modules])


def agreement_digest() -> str:
    """Changes with the decoder's Verilog and with what makes its tape."""
    decoder = decoder_digest(AGREEMENT_BUILD)
    return digest([source_digest(*_model_files("stories260K")).encode(), decoder.encode()])


def accuracy_digest(model: str) -> str:
    """Changes with the golden models and with what makes the weights."""
    return source_digest("golden/**/*.py", "spec/*.py", *_model_files(model))


def _simulate(path: Path, jobs: list[Job]) -> list[Outcome]:
    """Outcomes of jobs, each proved equal to the integer model at every position."""
    weights = quantised(path)
    jobs[0] = Job(jobs[0].prompt, jobs[0].steps, str(tape_file(path, weights, AGREEMENT_BUILD)))
    outcomes, stories = run(AGREEMENT_BUILD, SIM, jobs), Stories(FixedModel(weights, AGREEMENT_BUILD))
    for job, outcome in zip(jobs, outcomes, strict=True):
        check(stories, job, outcome)
    return outcomes


def agreement() -> dict:
    """The decoder on llama2.c's own greedy texts: shares of equal next tokens, and tokens of the story told freely."""
    path = checkpoint_path("stories260K")
    file = path.parent / ".." / "reference" / "llama2c_stories260K_greedy.json"
    if not file.is_file():
        raise Missing("needs llama2c_stories260K_greedy.json in the folder reference beside the models")
    stories = json.loads(file.read_text())
    texts = {name: (story["prompt_ids"] + story["generated_ids"])[: POSITIONS + 1] for name, story in stories.items()}
    jobs = [Job(ids[:POSITIONS], POSITIONS) for ids in texts.values()]
    told = "Once upon a time"
    jobs.append(Job(stories[told]["prompt_ids"], POSITIONS))
    *forced, free = _simulate(path, jobs)
    result = {"texts": {}, "free_prompt": told}
    for (name, ids), outcome in zip(texts.items(), forced, strict=True):
        first = len(stories[name]["prompt_ids"]) - 1  # from here on llama2.c's next token is its own choice
        pairs = list(zip(outcome.predictions[first:], ids[first + 1 :]))
        result["texts"][name] = dict(positions=len(pairs), equal=sum(a == b for a, b in pairs))
    pairs = list(zip(free.predictions[len(stories[told]["prompt_ids"]) - 1 :], stories[told]["generated_ids"]))
    differ = (k for k, (a, b) in enumerate(pairs) if a != b)
    return result | {"free_equal": next(differ, len(pairs)), "free_tokens": len(pairs)}


def accuracy(model: str, bits: int) -> dict:
    """A model with weights of so many bits. {"weights", "integer"}: means of the fields of `golden.accuracy.Accuracy`
    over sampled texts; "deviation": their standard deviations from seed to seed."""
    path = checkpoint_path(model)
    weights, reference = quantised(path, bits=bits), FloatModel(read_model(path))
    seeds = range(EVALUATION_SEED, EVALUATION_SEED + ACCURACY_SEEDS)
    texts = [evaluation_tokens(reference, ACCURACY_POSITIONS, seed) for seed in seeds]
    samples = [evaluate(weights, reference, text) for text in texts]
    found = {name: spread([sample[name] for sample in samples]) for name in ("weights", "integer")}
    means = {name: mean for name, (mean, _) in found.items()}
    deviation = {name: deviation for name, (_, deviation) in found.items()}
    return means | {"deviation": deviation, "seeds": ACCURACY_SEEDS}


def perplexity_digest(model: str) -> str:
    """Changes with the decoder's Verilog, with the golden models and with what makes the weights."""
    return digest([accuracy_digest(model).encode(), decoder_digest(build_of(PERPLEXITY_CONFIG)).encode()])


def perplexity(model: str) -> dict:
    """What `make perplexity` finds, of a text that the model makes; every beat proved equal to the integer model's."""
    path = checkpoint_path(model)
    files = [f"--model={path}", f"--tokenizer={path.parent / TOKENIZERS[model]}"]
    result = measure(Text(parser().parse_args([*files, f"--config={PERPLEXITY_CONFIG}"])), silent)
    if not result["golden_match"]:
        raise SimulationError(f"perplexity of {model}: the hardware is different from the integer model")
    return result


@cache
def verilog_digest(block: str) -> str:
    """Changes with the block's Verilog."""
    with tempfile.TemporaryDirectory() as folder:
        return write_sources(of_block(block), Path(folder)).digest


def routed(block: str) -> dict:
    """Speed and area that `make pnr` found for the block's present Verilog."""
    figures = best(block, verilog_digest(block))
    if figures is None:
        raise Missing(f"run make pnr BLOCK={block}")
    return {"fmax_mhz": figures["fmax_mhz"]} | figures["resources"]


def bus_digest(config: str) -> str:
    """Changes with the decoder's Verilog, with the golden models and with what makes the weights."""
    return digest([accuracy_digest("stories260K").encode(), decoder_digest(build_of(config)).encode()])


def bus(config: str) -> dict:
    """What `host.bus_measure` finds of a configuration with its weights in memory; of stories15M a random model."""
    if config in FILES:
        checkpoint_path("stories260K")
    return measure_bus(config, POSITIONS_OF[config])


def configurations() -> dict[str, dict]:
    """Shape, lanes, tape beats and cycle floor of every preset."""
    return {
        name: {field: value for field, value in asdict(p.shape).items() if field != "rope_divisors"}  # none has any
        | dict(lanes=p.build.lanes, tape=tape_beats(p.shape, p.build), floor=p.shape.beats(p.build.lanes))
        for name, p in sorted(PRESETS.items(), key=lambda item: item[1].shape.macs())
    }
