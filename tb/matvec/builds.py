"""Builds for the tests of the matvec's blocks: 4 and 64 lanes, and weights of 16 bits."""

from dataclasses import replace

from llama2_myhdl.spec.presets import build_of

BUILDS = {"nano": build_of("nano"), "default": build_of("default"), "nano16": replace(build_of("nano"), weight_bits=16)}
