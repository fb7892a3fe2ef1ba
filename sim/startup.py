"""Python's garbage collector out of the way while a simulator starts and ends: a quarter of a short test's time.

cocotb calls these at its start, before and after all that is imported (`ENTRY_POINTS`). What is there by then lives as
long as the simulator does: it is never looked at again, not at the end either.
"""

import gc

# cocotb's own, and ours around them; the last but one imports the tests
ENTRY_POINTS = ",".join(
    (
        "llama2_myhdl.sim.startup:pause",
        "cocotb_tools._coverage:start_cocotb_library_coverage",
        "cocotb.logging:_configure",
        "cocotb._init:init_package_from_simulation",
        "cocotb.regression:_run_regression",
        "llama2_myhdl.sim.startup:resume",
    )
)


def pause():
    """Collect nothing while modules are imported."""
    gc.disable()


def resume():
    """Collect again, from what comes after the imports."""
    gc.freeze()
    gc.enable()
