"""Names inside the converted decoder that taps and traces look at."""


def station_handles(dut, stations: int) -> list:
    """Handles of the engines in order and, if it is a station of its own, of the head (see `rtl/decoder.py`)."""
    engines = [getattr(dut, f"u_layers_{k}") for k in range(max(1, stations - 1))]
    return engines if stations == 1 else [*engines, dut.u_last]
