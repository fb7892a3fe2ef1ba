"""The cycle table as text; its rows are those of `sim.trace`."""


def header(several: bool = False) -> str:
    """The heads of the columns of `line`."""
    station = f"{'station':>7} " if several else ""
    where = f"{'cycle':>10} {'cycles':>7} {station}{'pos':>5} {'layer':>5}  {'stage':<10}"
    return f"{where} {'token':<12} busy cycles of the units"


def line(row: dict, token: str, several: bool = False) -> str:
    """One row of the table; token: the text of the token at that position; several: with the row's station."""
    busy = "  ".join(f"{unit} {count}" for unit, count in row["busy"].items() if count)
    station = f"{row['station']:>7} " if several else ""
    where = f"{row['cycle']:>10} {row['cycles']:>7} {station}{row['pos']:>5} {row['layer']:>5}  {row['stage']:<10}"
    return f"{where} {token!r:<12} {busy}"
