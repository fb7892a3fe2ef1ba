"""Command lines: what is wrong with one is said in one line, as with all other input."""

import argparse


class Parser(argparse.ArgumentParser):
    """argparse's, without the usage above an error; the exit status is 2."""

    def add_unsaid(self):
        """The options for what a checkpoint's file does not say: `theta` and `norm_eps`, None where not given."""
        self.add_argument("--theta", type=float, help="base of the rotary frequencies (10000; the file does not say)")
        self.add_argument("--norm-eps", type=float, help="epsilon of the norms (1e-5; the file does not say)")

    def error(self, message):
        self.exit(2, f"{self.prog}: {' '.join(message.splitlines())}\n")


def unsaid(shape) -> str:
    """The values of `add_unsaid` that a ModelShape was made with, and how far its rotary frequencies are divided."""
    divided = f", rotary frequencies over 1 to {max(shape.rope_divisors):.4g}" if shape.rope_divisors else ""
    return f"theta {shape.rope_theta:.10g}, norm epsilon {shape.norm_eps:.10g}{divided}"
