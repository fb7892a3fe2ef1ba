"""Coverage collector: grids filled from the predictor's transactions; a promised bin that stays empty fails."""

from pyuvm import uvm_subscriber

from tb.records import record


class CoverageHole(AssertionError):
    """Promised bins were not hit often enough; raised in check_phase."""


class Coverage(uvm_subscriber):
    """Base: `grids` makes the Grids, `write` samples them. ConfigDB: GOALS, false in a test that promises no bins."""

    def build_phase(self):
        self.grid = {grid.name: grid for grid in self.grids()}

    def grids(self):
        """The grids of this block."""
        raise NotImplementedError(f"{type(self).__name__}: grids")

    def check_phase(self):
        holes = {name: grid.holes for name, grid in self.grid.items() if grid.holes}
        if holes and self.cdb_get("GOALS"):
            text = "; ".join(f"{name}: {cells}" for name, cells in holes.items())
            raise CoverageHole(f"{self.get_full_name()}: bins below their goal: {text}")

    def report_phase(self):
        for grid in self.grid.values():
            self.logger.info(grid.table())
            if self.cdb_get("GOALS"):
                record("grid", test=self.cdb_get("TEST"), where=self.get_full_name(), **grid.facts())
