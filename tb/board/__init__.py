"""Tests of rtl/board: the serial link of a board and its top, with a model of the line."""
