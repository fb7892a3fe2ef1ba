"""Why a sequence ended: the field `stop` of the token stream."""

GOES_ON, STOP_TOKEN, STOP_STEPS, STOP_CONTEXT, STOP_ERROR = range(5)
STOP_BITS = 3
STOP_NAMES = {STOP_TOKEN: "stop token", STOP_STEPS: "steps", STOP_CONTEXT: "context", STOP_ERROR: "error"}

STOP_IDS = (1, 2)  # BOS and EOS of llama2.c's models: the tokens that end a story
STOP_REGISTERS = 2  # stop tokens that a model has for all sequences
MORE_STOPS = 4  # further ones that a sequence may have of its own


def stop_registers(stops: tuple[int, ...], vocab_size: int) -> tuple[int, ...]:
    """Contents of the registers for a model's stop tokens; where there are fewer, a token that never comes."""
    return (*stops, *(vocab_size,) * STOP_REGISTERS)[:STOP_REGISTERS]
