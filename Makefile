# The front door: `make help` lists the targets. What a target needs it sets up, once.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest
GENERATE := -m llama2_myhdl.host.generate
# The simulators' makefiles and the cocotb runner look for `python` on PATH.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Verilator's run-time library dominates small builds: compile it once.
ifneq ($(shell command -v ccache),)
export OBJCACHE ?= ccache
export CCACHE_BASEDIR ?= $(CURDIR)
endif

# The matrices are small: threads of BLAS would only wait for one another.
export OPENBLAS_NUM_THREADS ?= 1

# Values reach the recipes through the environment, never pasted into shell text: any quote, space or dollar survives.
VALUES := MODEL TOKENIZER PROMPT STEPS LANES SIM JSON TRACE TAPS TAP_POSITIONS TAP_LAYERS CONFIG BLOCK POS LAYER ONLY ENGINES \
	QUICK STORE OUTPUT
$(foreach v,$(VALUES),$(if $(filter undefined,$(origin $v)),,$(eval export OPT_$v := $$(value $v))))
lower = $(shell echo $1 | tr A-Z_ a-z-)
# $(call options,A B): --a=VALUE --b=VALUE for each that is set
options = $(foreach v,$1,$${OPT_$v:+"--$(call lower,$v)=$$OPT_$v"})
# $(call flags,A B): --a --b for each that is set and not 0
flags = $(foreach v,$1,$$([ "$${OPT_$v:-0}" = 0 ] || echo --$(call lower,$v)))

BLOCKS := $(sort $(patsubst test_%.py,%,$(notdir $(filter-out tb/shell/%,$(wildcard tb/*/test_*.py)))))
DEV := $(VENV)/.stamp-dev
SYN := $(VENV)/.stamp-syn
TRAIN := $(VENV)/.stamp-train

.PHONY: help setup test test-all sim known-block convert pack generate accuracy bench figures timing regress fetch train lint synth pnr clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

setup: $(DEV) ## system packages when missing, and the Python environment in .venv

test: $(DEV) ## all tests but synthesis: LLAMA2_MODELS=dir adds those that need stories260K
	@echo "not in this target (see make test-all): tests marked syn, which need Yosys or nextpnr"
	@$(PYTEST) -q -n 2 --dist loadfile -m "not syn" -rs --durations=15

test-all: $(DEV) $(SYN) ## every test, synthesis too
	@$(PYTEST) -q -n 2 --dist loadfile -rs --durations=15

sim: known-block $(DEV) ## one block's tests: BLOCK=name SIM=icarus|verilator [WAVES=1]
	@export SIM="$${OPT_SIM:-icarus}"; case "$$SIM" in icarus) other=verilator;; verilator) other=icarus;; \
	*) echo "SIM is icarus or verilator, not $$SIM" >&2; exit 2;; esac; mkdir -p sim_build; touch sim_build/.sim-start; \
	$(PYTEST) tb/*/test_"$$OPT_BLOCK".py -k "not $$other" -rs; \
	[ "$${WAVES:-0}" = 0 ] || { echo "waves:"; find sim_build \( -name '*.fst' -o -name '*.vcd' \) -newer sim_build/.sim-start; }

known-block:
	$(if $(and $(filter 1,$(words $(BLOCK))),$(filter $(BLOCKS),$(BLOCK))),,$(error unknown BLOCK '$(BLOCK)'; known: $(BLOCKS)))
	@:

convert: $(DEV) ## Verilog of the whole decoder: [CONFIG=preset LANES=.. ENGINES=..]
	@$(PY) -m llama2_myhdl.rtl.convert $(call options,LANES ENGINES) $${OPT_CONFIG:+"$$OPT_CONFIG"}

pack: $(DEV) ## weight tape of a checkpoint for a build, as a file: [MODEL OUTPUT CONFIG LANES ENGINES]
	@mkdir -p sim_build
	@$(PY) -m llama2_myhdl.weights.pack $(call options,CONFIG LANES ENGINES) \
	"$${OPT_MODEL:-weights/default/model.bin}" "$${OPT_OUTPUT:-sim_build/model.tape}"

generate: $(DEV) ## tell a story in simulation: [MODEL TOKENIZER PROMPT STEPS LANES ENGINES SIM JSON TRACE=1 TAPS=npz CONFIG]
	@$(PY) $(GENERATE) $(call options,MODEL TOKENIZER STEPS LANES ENGINES SIM JSON TAPS TAP_POSITIONS TAP_LAYERS CONFIG) \
	$${OPT_PROMPT+"--prompt=$$OPT_PROMPT"} $(call flags,TRACE)

accuracy: $(DEV) ## integer model against float: [MODEL=.. TOKENIZER=..]
	@$(PY) -m llama2_myhdl.golden.accuracy "$${OPT_MODEL:-weights/default/model.bin}" "$${OPT_TOKENIZER:-weights/default/tokenizer.bin}"

bench: $(DEV) ## measure the speed against its limits: [QUICK=1, a few minutes and no model, STORE=1 keeps its counts]
	@$(PY) -m llama2_myhdl.host.bench $(call flags,QUICK STORE)

figures: $(DEV) ## measure the README's other tables anew: [ONLY=agreement|accuracy|routed]
	@$(PY) -m llama2_myhdl.host.figures $(call options,ONLY)

timing: $(DEV) ## draw docs/layer-timing.svg from a simulation: [MODEL=.. LANES=.. POS=.. LAYER=..]
	@$(PY) -m llama2_myhdl.host.timing $(call options,MODEL LANES POS LAYER)

regress: $(DEV) ## the pyuvm regression
	@$(PYTEST) -m uvm -rs --durations=5

fetch: $(DEV) ## download a checkpoint and check its sha256: MODEL=stories260K|stories15M|stories42M|stories110M
	@$(PY) -m llama2_myhdl.weights.fetch $${OPT_MODEL:+"$$OPT_MODEL"}

train: $(TRAIN) ## train the shipped default model anew
	@$(PY) -m llama2_myhdl.weights.train.train

lint: $(DEV) $(SYN) ## ruff; Verilator, Icarus and Yosys on the converted Verilog
	@$(PY) -m ruff check .
	@$(PY) -m llama2_myhdl.syn.lint

synth: $(SYN) ## Yosys mapping to ECP5 of one block: BLOCK=name
	@$(PY) -m llama2_myhdl.syn.ecp5 synth $${OPT_BLOCK:+"$$OPT_BLOCK"}

pnr: $(SYN) ## routed speed and area on ECP5-85F of one block: BLOCK=name
	@$(PY) -m llama2_myhdl.syn.ecp5 pnr $${OPT_BLOCK:+"$$OPT_BLOCK"}

clean: ## remove everything generated (the Python environment stays)
	rm -rf sim_build .pytest_cache .ruff_cache results.xml
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 -r rm -rf

$(PY):
	@.ci/packages $(PYTHON)
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit("Python 3.11 to 3.13 is needed, this is %d.%d" % v)'
	@$(PYTHON) -m venv $(VENV)

# A stamp for each set of dependencies: installed once, and again when setup.cfg changes.
$(DEV): EXTRA = dev
$(SYN): EXTRA = dev,syn
$(TRAIN): EXTRA = dev,train
$(SYN) $(TRAIN): | $(DEV)
$(VENV)/.stamp-%: setup.cfg pyproject.toml | $(PY)
	@.ci/packages $(PYTHON)
	@echo "installing Python packages: $(EXTRA)"
	@$(PY) -m pip install -q --disable-pip-version-check -e '.[$(EXTRA)]'
	@touch $@
