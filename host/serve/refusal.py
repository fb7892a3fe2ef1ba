"""What the endpoint refuses, as OpenAI's clients read it."""

INVALID, UNKNOWN, BUSY, OURS = "invalid_request_error", "not_found_error", "rate_limit_error", "server_error"
_KINDS = {404: UNKNOWN, 429: BUSY}


class Refusal(Exception):
    """status: of HTTP; message: one line; param: the request's field that is wrong; code: a word for programs; closing:
    what the client still sends is not waited for."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None, closing=False):
        super().__init__(message)
        self.status, self.param, self.code, self.closing = status, param, code, closing

    def body(self) -> dict:
        """The error's JSON object."""
        kind = _KINDS.get(self.status, INVALID if self.status < 500 else OURS)
        return dict(error=dict(message=str(self), type=kind, param=self.param, code=self.code))


def unsupported(param: str, message: str) -> Refusal:
    """Of what a request may ask of others and not of this hardware."""
    return Refusal(400, f"{param}: {message}", param, "unsupported")
