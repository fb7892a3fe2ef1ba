"""The decoder on a board: a serial line, frames with a checksum, commands in and events out, and lights."""
