"""Loads the frequencies of a rotation, as a boot image does."""

from cocotb.triggers import RisingEdge


async def write_frequencies(dut, frequencies):
    """Load the frequency memory through its write port."""
    for address, frequency in enumerate(frequencies):
        dut.freq_we.value = 1
        dut.freq_addr.value = address
        dut.freq_data.value = frequency
        await RisingEdge(dut.clk)
    dut.freq_we.value = 0
