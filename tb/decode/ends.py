"""Why a sequence ended, and how long its prompt was: bins of the coverage, the same for the loop and the decoder."""

from llama2_myhdl.spec import errors
from llama2_myhdl.spec.sampling import LIST, Registers
from llama2_myhdl.spec.sequence import Beat
from llama2_myhdl.spec.stops import STOP_ERROR, STOP_NAMES, STOP_STEPS

CUT = "steps within the prompt"
UNSET = "settings out of limits"
REASONS = ("stop token", "steps", CUT, "context", "token out of range", "prompt too long", UNSET)
ERRORS = {"token out of range": errors.BAD_TOKEN, "prompt too long": errors.TOO_LONG, UNSET: errors.BAD_SETTINGS}
LENGTHS = ("one", "few", "many")  # prompt tokens


def length_bin(tokens: int) -> str:
    return "one" if tokens == 1 else "few" if tokens <= 3 else "many"


def impossible(end: str, prompt: str) -> bool:
    """No sequence ends so with a prompt of that length."""
    return (end == CUT and prompt == "one") or (end == "prompt too long" and prompt != "many")


def reason_of(beat: Beat, tokens: int, wishes: dict | None = None, entries: int = LIST) -> str:
    """Which of REASONS a sequence has whose last beat this is; tokens: of its prompt; wishes: its first beat."""
    if wishes and Registers.among(wishes).fault(entries):
        return UNSET
    if beat.stop == STOP_ERROR:
        # what is not scored says 0, a token out of range is none
        return "prompt too long" if beat.scored or beat.token == 0 else "token out of range"
    if beat.stop == STOP_STEPS and beat.pos + 1 < tokens:
        return CUT
    return STOP_NAMES[beat.stop]
