"""The IP block as a folder that stands alone: `make ip`."""
