"""The front door: `make help` lists every target, values reach the commands as they are, wrong ones end in one line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASKED_FOR = {
    "help", "setup", "test", "sim", "convert", "pack", "generate", "perplexity", "accuracy", "regress", "fetch",
    "train", "serve", "chat", "lint", "formal", "synth", "pnr", "bitstream", "story", "flash", "board", "clean",
}  # fmt: skip
STAMPS = ("dev", "syn", "train", "models", "browser", "serve", "clients", "ip", "smollm2")
INSTALLED = [word for name in STAMPS for word in ("-o", f".venv/.stamp-{name}")]  # whatever is there
HIDDEN = {"known-block", "place"}
# the options of each target; those of POSITIONAL are the command's last arguments
GENERATE = "MODEL TOKENIZER CONTEXT STEPS LANES ENGINES WEIGHT_BITS SIM JSON TAPS TAP_POSITIONS TAP_LAYERS".split()
GENERATE += "CONFIG LATENCY REFRESH NEW_TOKENS TEMPERATURE TOPK TOPP MINP SEED SAMPLES PROMPT".split()
SERVED = "MODEL TOKENIZER THETA NORM_EPS CONTEXT LANES ENGINES WEIGHT_BITS SIM CONFIG"
OPTIONS = {
    "generate": GENERATE,
    "watch": [name for name in GENERATE[:-1] if not name.startswith("TAP")] + ["OUTPUT", "PORT", "PROMPT"],
    "mutants": ["BLOCK", "COUNT", "SEED", "MINUTES"],
    "serve": f"{SERVED} SLOTS BOARD BAUD NAME BIND PORT QUEUE BODY TIMEOUT".split(),
    "chat": f"{SERVED} BOARD BAUD NEW_TOKENS TEMPERATURE TOPP SEED".split(),
    "perplexity": f"{SERVED} JSON LATENCY REFRESH TEXT".split(),
    "convert": ["LANES", "ENGINES", "WEIGHT_BITS"],
    "ip": ["LANES", "ENGINES", "SEQUENCES", "WEIGHT_BITS", "OUTPUT"],
    "pack": ["CONTEXT", "CONFIG", "LANES", "ENGINES", "WEIGHT_BITS"],
    "accuracy": ["TEXT", "SEEDS", "POSITIONS", "WEIGHT_BITS"],
    "sampler": ["DRAWS"],
    "figures": ["ONLY"],
    "fpga": ["ONLY"],
    "performance": "BOARD MODEL CLOCK POSITION WIDTH RATE LATENCY REFRESH".split(),
    "timing": ["MODEL", "CONFIG", "LANES", "POS", "LAYER", "OUTPUT"],
    "toggles": ["MODEL", "CONFIG", "STEPS", "NETS", "JSON", "AGAINST"],
    "coverage": ["BLOCK"],
    "fetch": ["REVISION", "FILE", "SHA256"],
    "formal": [],
    "synth": ["TARGET", "CONFIG", "LANES", "ENGINES", "CONTEXT", "WEIGHT_BITS"],
    "pnr": ["CONFIG", "LANES", "ENGINES", "CONTEXT", "WEIGHT_BITS", "SEED", "FREQ"],
    "bitstream": ["CLOCK", "BAUD", "SEED"],
    "story": "CONFIG MODEL TOKENIZER THETA NORM_EPS STEPS OUTPUT PROMPT".split(),
    "flash": [],
    "board": "PORT MODEL TOKENIZER THETA NORM_EPS STEPS BAUD TIMEOUT PROMPT".split(),
}
POSITIONAL = {
    "convert": ["CONFIG"],
    "ip": ["CONFIG"],
    "pack": ["MODEL", "OUTPUT"],
    "accuracy": ["MODEL", "TOKENIZER"],
    "sampler": ["MODEL"],
    "fetch": ["MODEL"],
    "formal": ["BLOCK"],
    "synth": ["BLOCK"],
    "pnr": ["BLOCK"],
    "bitstream": ["CONFIG"],
    "flash": ["CONFIG"],
}
STEPS_OF = {"bitstream": "build", "flash": "flash"}  # of their program, first argument
PATHS = {"MODEL", "TOKENIZER", "JSON", "TAPS", "OUTPUT", "AGAINST", "TEXT"}
NAMED = {"fetch", "performance"}  # their MODEL is a name
TEXTS = [
    "Hi there, it's", 'say "hi"', "it costs $5 $(5", "${HOME} $@ $$ $x $", "$(HOME)", "`id`", "; exit 3 # no comment",
    "a\\b\\", "two\nlines\n", "  blanks  ", " ", "\t x", "\n\n", "100% %d", "café 日本\u2003", "--help", "-", "*", "~",
    "a=b:=c", "'", '"', "!!", "),(", "& | < >", "endef", "caf\udce9",
]  # fmt: skip


def make(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess:
    """Run make; the environment is the caller's, without make's own variables."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "SIM")}
    return subprocess.run(
        ["make", *INSTALLED, *arguments],
        cwd=cwd,
        env=inherited | {"PWD": str(cwd)} | environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def echo(tmp_path) -> str:
    """The setting of RUN that has every target print its command instead of running it."""
    program = tmp_path / "echo.py"
    program.write_text("import os, sys\nprint(ascii(sys.argv[2:]), ascii(os.environ.get('MAKEFLAGS')), sep='\\n')\n")
    return f"RUN='{sys.executable}' -SE '{program}'"


def arguments_of(done: subprocess.CompletedProcess) -> str:
    """What `echo` has printed: the arguments; no variable is given to other makes."""
    assert done.returncode == 0, done.stderr
    *_, arguments, flags = [line for line in done.stdout.splitlines() if not line.startswith("make: ")]
    assert "=" not in flags
    return arguments


def on_command_line(values: dict[str, str]):
    return [f"{name}={value}" for name, value in values.items()], {}


def in_environment(values: dict[str, str]):
    return [], values


def in_makeflags(values: dict[str, str]):
    """As make hands its command line to a make that it starts."""
    quoted = [name + "=" + re.sub(r"([ \t\\])", r"\\\1", value).replace("$", "$$") for name, value in values.items()]
    return [], {"MAKEFLAGS": " -- " + " ".join(quoted)}


WAYS = [on_command_line, in_environment, in_makeflags]


def expected(target: str, values: dict[str, str]) -> str:
    """What `echo` prints when all of a target's options are given."""
    arguments = [STEPS_OF[target]] if target in STEPS_OF else []
    arguments += [f"--{name.lower().replace('_', '-')}={values[name]}" for name in OPTIONS[target]]
    if target in POSITIONAL:
        arguments += ["--", *(values[name] for name in POSITIONAL[target])]
    return ascii(arguments)


def test_help_lists_every_target_with_its_purpose():
    done = make("help")
    listed = dict(re.findall(r"^  (\S+) +(\S.*)$", done.stdout, re.M))
    assert done.returncode == 0
    assert ASKED_FOR <= listed.keys()
    assert make().stdout == done.stdout


def test_every_public_target_is_in_help():
    declared = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M).group(1).split()
    assert set(declared) == set(re.findall(r"^  (\S+) ", make("help").stdout, re.M)) | HIDDEN


@pytest.mark.parametrize("block", ["nonsense", "", "two words", "%", "$(shell touch F)", "lines\n", "rmsnorm register"])
def test_unknown_block_is_one_line_that_lists_the_known_ones(block):
    done = make("sim", f"BLOCK={block}")
    assert done.returncode != 0
    line, of_make = done.stderr.splitlines()
    known = {p.stem.removeprefix("test_") for p in ROOT.glob("tb/*/test_*.py") if p.parent.name != "shell"}
    quoted = f"'{block}'" if "\n" not in block else r"$'lines\n'"
    assert line.startswith(f"unknown BLOCK {quoted}; known: ")
    assert set(line.partition("known: ")[2].split()) == known
    assert "known-block" in of_make


def test_unknown_simulator_is_named():
    known = next(p.stem.removeprefix("test_") for p in ROOT.glob("tb/*/test_*.py") if p.parent.name != "shell")
    done = make("sim", f"BLOCK={known}", "SIM=$(shell id)")
    assert done.returncode != 0
    assert "SIM is icarus or verilator, not '$(shell id)'" in done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_any_text_is_a_prompt(way, echo):
    for text in TEXTS:
        if way is in_makeflags and (text[0].isspace() or "\n" in text):
            continue  # lost before this make gets it
        given, environment = way({"PROMPT": text})
        assert arguments_of(make("generate", echo, *given, **environment)) == ascii([f"--prompt={text}"])


@pytest.mark.parametrize("target", OPTIONS)
@pytest.mark.parametrize("way", WAYS)
def test_every_value_of_every_target_arrives_as_it_is(way, target, echo, tmp_path):
    text = f" $(shell touch {tmp_path}/F)`touch {tmp_path}/F`; touch '{tmp_path}/F' \"a\\ $$5 # % é,= "
    text = text.lstrip() if way is in_makeflags else text
    names = [*OPTIONS[target], *POSITIONAL.get(target, [])]
    values = {name: f"{text}{name}" for name in names}
    given, environment = way(values)
    assert arguments_of(make(target, echo, *given, **environment)) == expected(target, values)
    assert not (tmp_path / "F").exists()


def test_a_target_runs_nothing_under_n(echo, tmp_path):
    text = f"$(shell touch {tmp_path}/F)`touch {tmp_path}/F`"
    for target in sorted(ASKED_FOR | HIDDEN):
        done = make("-n", target, echo.replace("RUN=", f"RUN=touch {tmp_path}/F; "), f"PROMPT={text}", f"MODEL={text}")
        assert done.returncode == 0, done.stderr
    assert not (tmp_path / "F").exists()


def test_a_prompt_that_is_not_given_is_no_option(echo):
    assert arguments_of(make("generate", echo, "MODEL=", "STEPS=")) == "[]"


def test_an_empty_prompt_is_one(echo):
    assert arguments_of(make("generate", echo, "PROMPT=")) == "['--prompt=']"
    assert arguments_of(make("board", echo, "PROMPT=")) == "['--prompt=']"
    assert arguments_of(make("generate", echo, PROMPT="")) == "['--prompt=']"


def test_the_last_prompt_counts(echo):
    assert arguments_of(make("generate", echo, "PROMPT=  x", "PROMPT=x")) == "['--prompt=x']"


@pytest.mark.parametrize("value, flags", [("1", ["--trace"]), ("0", []), ("", []), ("$(shell id)", ["--trace"])])
def test_a_flag_of_0_is_off(value, flags, echo):
    assert arguments_of(make("generate", f"TRACE={value}", echo)) == ascii(flags)
    assert arguments_of(make("generate", f"LOGPROBS={value}", echo)) == ascii(["--logprobs"] if flags else [])
    assert arguments_of(make("performance", f"MEASURE={value}", echo)) == ascii(["--measure"] if flags else [])
    assert arguments_of(make("bench", f"STORE={value}", echo)) == ascii(["--store"] if flags else [])
    for target in ("regress", "formal"):
        assert arguments_of(make(target, f"STORE={value}", echo)) == ascii(["--store"] if flags else [])
    assert arguments_of(make("board", f"LISTEN={value}", echo)) == ascii(["--listen"] if flags else [])
    volatile = ["--volatile"] if flags else []
    assert arguments_of(make("flash", f"VOLATILE={value}", echo)) == ascii(["flash", *volatile])


@pytest.mark.parametrize(
    "leave", [["-C", str(ROOT)], [f"-C{ROOT}"], ["-sC", os.path.join("..", "here", "repo")], [f"--directory={ROOT}"],
              ["--directory", "repo"], ["--dir=repo"], ["-C", "/", "-C", str(ROOT)]]
)  # fmt: skip
def test_relative_paths_start_where_make_was_called(leave, echo, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    (here / "repo").symlink_to(ROOT)
    for target in OPTIONS:
        names = [*OPTIONS[target], *POSITIONAL.get(target, [])]
        paths = PATHS & set(names) if target not in NAMED else set()
        values = {name: "a b/x" for name in names}
        found = arguments_of(make(*leave, target, echo, *on_command_line(values)[0], cwd=here))
        assert found.count("a b/x") == len(names)
        assert found.count(f"{here}/a b/x") == len(paths)


def test_the_folder_of_a_caller_that_does_not_tell_it(echo, tmp_path):
    """PWD is unset, or stale because the caller is no shell."""
    for environment in ({}, {"PWD": "/usr"}):
        inherited = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "PWD")} | environment
        code = "import os, subprocess, sys; os.chdir(sys.argv[1]); sys.exit(subprocess.call(sys.argv[2:]))"
        command = ["make", *INSTALLED, "-C", str(ROOT), "generate", echo, "MODEL=x.bin"]
        done = subprocess.run(
            [sys.executable, "-SE", "-c", code, str(tmp_path), *command], env=inherited, capture_output=True, text=True
        )
        assert arguments_of(done) == ascii([f"--model={tmp_path}/x.bin"])


def test_paths_stay_as_they_are_where_make_was_not_sent_elsewhere(echo):
    values = {name: "models/x" for name in PATHS}
    given, _ = on_command_line(values)
    assert arguments_of(make("generate", echo, *given, PWD="/usr")).count("=models/x") == 4
    assert "/usr" not in arguments_of(make("-C", ".", "generate", echo, *given, PWD="/usr"))


def test_the_folder_of_models_is_a_path_too(tmp_path, echo):
    program = tmp_path / "echo.py"
    program.write_text("import os\nprint(os.environ['LLAMA2_MODELS'])\n")
    for given, environment in (on_command_line({"LLAMA2_MODELS": "m"}), in_environment({"LLAMA2_MODELS": "m"})):
        done = make("-sC", str(ROOT), "regress", echo, *given, cwd=tmp_path, **environment)
        assert done.stdout == f"{tmp_path}/m\n"
