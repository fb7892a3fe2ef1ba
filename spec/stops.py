"""Why a sequence ended: the field `stop` of the token stream."""

GOES_ON, STOP_TOKEN, STOP_STEPS, STOP_CONTEXT, STOP_ERROR = range(5)
STOP_BITS = 3
STOP_NAMES = {STOP_TOKEN: "stop token", STOP_STEPS: "steps", STOP_CONTEXT: "context", STOP_ERROR: "error"}

STOP_IDS = (1, 2)  # BOS and EOS: the tokens that end a story
MORE_STOPS = 4  # further ones that a sequence may have of its own
