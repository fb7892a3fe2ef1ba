"""The regression over many seeds, and the page that shows what came of it."""
