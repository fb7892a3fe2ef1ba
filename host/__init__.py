"""Host side: drives the converted decoder in simulation and shows what it says."""
