"""Shared by all tests: the check of SIM, and the folder of real checkpoints as fixtures."""

import gc
import os
from pathlib import Path

import pytest

from tb import progress, records

# Several workers, each with a BLAS thread for every core, spend their time waiting for one another.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

pytest_plugins = ["tb.quick"]
MODELS_VARIABLE = "LLAMA2_MODELS"
RECORDED = ("uvm", "stress")  # markers of tests that say what they compared


def pytest_configure(config):
    """Refuse an unknown simulator before any test is collected; name tests that take long."""
    from llama2_myhdl.sim.runner import ALL_SIMULATORS, SIMULATORS

    if not SIMULATORS:
        raise pytest.UsageError(f"SIM is one of {', '.join(ALL_SIMULATORS)}, not {os.environ['SIM']}")
    progress.register(config)


def pytest_collection_finish():
    """What is there by now stays to the end: the garbage collector need not look at it again and again."""
    gc.freeze()


@pytest.fixture(autouse=True)
def recorded(request):
    """Keeps with a test's result what it compared and covered; pytest-xdist brings that home from any machine."""
    if not any(request.node.get_closest_marker(name) for name in RECORDED):
        yield
        return
    file = request.getfixturevalue("tmp_path") / "records.jsonl"
    request.getfixturevalue("monkeypatch").setenv(records.VARIABLE, str(file))
    yield
    request.node.user_properties += records.properties(file)


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder that LLAMA2_MODELS names, with stories260K.bin and tok512.bin; where it is unset, the test skips."""
    folder = os.environ.get(MODELS_VARIABLE)
    if not folder:
        pytest.skip(f"{MODELS_VARIABLE} is not set: it must name a folder with stories260K.bin and tok512.bin")
    missing = [name for name in ("stories260K.bin", "tok512.bin") if not (Path(folder) / name).is_file()]
    assert not missing, f"{MODELS_VARIABLE}={folder}: no {' and no '.join(missing)} there"
    return Path(folder)


@pytest.fixture(scope="session")
def reference(models) -> Path:
    """The folder with llama2.c's own outputs for stories260K, beside the models' folder."""
    folder = models / ".." / "reference"
    if not (folder / "llama2c_stories260K_taps.npz").is_file():
        pytest.skip(f"no reference outputs of llama2.c in {folder}")
    return folder


@pytest.fixture(scope="session")
def stories260k(models):
    """The checkpoint stories260K."""
    from llama2_myhdl.readers.checkpoint import read_checkpoint

    return read_checkpoint(models / "stories260K.bin")
