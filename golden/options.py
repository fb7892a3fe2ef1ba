"""Command lines: what is wrong with one is said in one line, as with all other input."""

import argparse


class Parser(argparse.ArgumentParser):
    """argparse's, without the usage above an error; the exit status is 2."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {' '.join(message.splitlines())}\n")
