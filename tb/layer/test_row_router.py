"""Every row kind reaches its unit and no other."""

import cocotb
import pytest
from cocotb.triggers import Timer

from llama2_myhdl.rtl.layer.row_router import ports, row_router
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec import kinds
from llama2_myhdl.spec.presets import preset

BUILD = preset("nano").build
OUTPUTS = {
    "m_heads": (kinds.KEY, kinds.QUERY),
    "m_values": (kinds.VALUE,),
    "m_residual": (kinds.OUT, kinds.PARTIAL, kinds.DOWN),
    "m_ffn": (kinds.GATE_UP,),
    "m_logits": (kinds.LOGITS,),
}


@pytest.mark.parametrize("sim", SIMULATORS)
def test_row_router(sim):
    run(row_router, ports(BUILD), __name__, sim, tests=1)


@cocotb.test()
async def routes_by_kind(dut):
    """Valid goes to one output, ready comes from the same one, the payload is unchanged."""
    checked = 0
    assert sorted(kinds.ROW_KINDS) == sorted(kind for mine in OUTPUTS.values() for kind in mine)
    for kind in kinds.ROW_KINDS:
        for valid in (0, 1):
            for ready_mask in range(32):
                dut.s_kind.value, dut.s_valid.value = kind, valid
                dut.s_data.value, dut.s_last.value = -kind - 1, kind & 1
                for k, name in enumerate(OUTPUTS):
                    getattr(dut, f"{name}_ready").value = ready_mask >> k & 1
                await Timer(1, "ns")
                for k, (name, mine) in enumerate(OUTPUTS.items()):
                    assert getattr(dut, f"{name}_valid").value == int(valid and kind in mine)
                    if kind in mine:
                        assert dut.s_ready.value == (ready_mask >> k & 1)
                        assert getattr(dut, f"{name}_data").value.to_signed() == -kind - 1
                        assert getattr(dut, f"{name}_last").value == kind & 1
                    checked += 1
                if kind in OUTPUTS["m_residual"]:
                    assert dut.m_residual_emit.value == int(kind != kinds.PARTIAL)
    assert checked == len(kinds.ROW_KINDS) * 2 * 32 * len(OUTPUTS)
