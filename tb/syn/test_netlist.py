"""The blocks' own cocotb tests on netlists: the same functions, what Yosys made in place of the Verilog."""

import pytest

from llama2_myhdl.rtl.attention.attention import attention
from llama2_myhdl.rtl.attention.attention import ports as attention_ports
from llama2_myhdl.rtl.logits.argmax import argmax
from llama2_myhdl.rtl.logits.argmax import ports as argmax_ports
from llama2_myhdl.rtl.matvec.matvec import matvec
from llama2_myhdl.rtl.matvec.matvec import ports as matvec_ports
from llama2_myhdl.rtl.norm.rmsnorm import ports as rmsnorm_ports
from llama2_myhdl.rtl.norm.rmsnorm import rmsnorm
from llama2_myhdl.rtl.quant.quantiser import ports as quantiser_ports
from llama2_myhdl.rtl.quant.quantiser import quantiser
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.syn.netlist import ECP5, GATES, Netlist, inverted

pytestmark = pytest.mark.syn

NANO = preset("nano").build
KINDS = (GATES, ECP5)
SHORT = dict(MAX_LEN=5, WORD=4, QLANES=2, BITS=8)
FAST = [sim for sim in ("verilator",) if sim in SIMULATORS]  # where multipliers are gates


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_argmax(sim, kind):
    run(argmax, argmax_ports(preset("default").build), "tb.logits.test_argmax", sim, tests=4, through=Netlist(kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_quantiser(sim, kind):
    run(quantiser, quantiser_ports(**SHORT), "tb.quant.test_quantiser", sim, parameters=SHORT, tests=6,
        through=Netlist(kind))  # fmt: skip


@pytest.mark.parametrize("sim", FAST)
def test_matvec(sim):
    run(matvec, matvec_ports(NANO), "tb.matvec.test_matvec", sim, parameters=dict(name="nano"), tests=8,
        through=Netlist(GATES))  # fmt: skip


@pytest.mark.parametrize("sim", FAST)
def test_rmsnorm(sim):
    run(rmsnorm, rmsnorm_ports(NANO), "tb.norm.test_rmsnorm", sim, parameters=dict(preset="nano"), tests=5,
        through=Netlist(GATES))  # fmt: skip


@pytest.mark.parametrize("sim", FAST)
def test_attention(sim):
    effort = dict(long=6, short=2, rounds=1, timed=3, build="nano")
    run(attention, attention_ports(NANO), "tb.attention.test_attention", sim, parameters=effort, tests=6,
        through=Netlist(GATES))  # fmt: skip


@pytest.mark.parametrize("fault", [3, 57, 200])
def test_a_gate_that_is_wrong_is_seen(fault):
    """One gate inverted, and the block's test fails; not for another reason."""
    sim = SIMULATORS[0]
    with pytest.raises(AssertionError, match="of 4 cocotb tests did not pass"):
        run(argmax, argmax_ports(preset("default").build), "tb.logits.test_argmax", sim, tests=4,
            through=Netlist(GATES, fault))  # fmt: skip


def test_a_fault_is_one_gate():
    netlist = "  assign a = b & ~(c);\n  assign d = a;\n  assign { e, f } = { g, h };\n  assign i = a ? b : c;\n"
    found = [inverted(netlist, number) for number in range(3)]
    assert found[0] == netlist.replace("b & ~(c)", "~(b & ~(c))")
    assert found[1] == netlist.replace("a ? b : c", "~(a ? b : c)")
    assert found[2] == found[0]
