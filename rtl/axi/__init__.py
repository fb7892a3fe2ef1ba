"""AXI4: the bus to memory outside the chip."""
