"""What others' tools make of the description of the registers: pages, a C header, a Python class."""

from pathlib import Path
from pprint import pformat

from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.control import RDL, REGISTERS, compiled
from llama2_myhdl.spec.register import Field, Register

NOTICE = '"""The registers of the IP block by name, made by `make ip` from llama2_ip.rdl."""'


def write_documents(folder: Path) -> None:
    """registers/ (pages and the description itself), include/llama2_ip.h and python/llama2_ip of an IP folder.

    ConfigError when the extra `ip` is not installed.
    """
    try:
        from peakrdl_cheader.exporter import CHeaderExporter
        from peakrdl_html import HTMLExporter
        from peakrdl_python import PythonExporter
    except ImportError as error:
        raise ConfigError(f"{error.name} is not installed; install the extra with: pip install -e .[ip]") from error
    top = compiled().top
    HTMLExporter(extra_doc_properties=["lock", "sampler"]).export(top, str(folder / "registers" / "html"))
    (folder / "registers" / "llama2_ip.rdl").write_bytes(RDL.read_bytes())
    (folder / "include").mkdir()
    CHeaderExporter().export(top, path=str(folder / "include" / "llama2_ip.h"))
    PythonExporter().export(top, str(folder / "python"), skip_test_case_generation=True)


def registers_module() -> str:
    """Text of a module with REGISTERS as the driver wants them, for hosts that do not compile the description."""
    table = pformat(REGISTERS, width=118, sort_dicts=False)
    names = f"{Field.__name__}, {Register.__name__}"
    return f"{NOTICE}\n\nfrom {Field.__module__} import {names}\n\nREGISTERS = {table}\n"
