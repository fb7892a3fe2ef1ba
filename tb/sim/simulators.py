"""The simulators of a session that the environment's SIM leaves; both kinds of Verilator go by its name."""

from llama2_myhdl.sim import runner, session

SESSIONS = tuple(sim for sim in session.SIMULATORS if sim.removesuffix("-cocotb") in runner.SIMULATORS)
