"""Fixtures of the tests of the IP block."""

from tb.host.ip_bench import bus_block, bus_driver, bus_model, ip_block, ip_driver, ip_model

__all__ = ["bus_block", "bus_driver", "bus_model", "ip_block", "ip_driver", "ip_model"]
