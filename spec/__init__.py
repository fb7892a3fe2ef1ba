"""What hardware and software agree on: shapes, formats, tables, codes, the tape's program, the boot image."""
