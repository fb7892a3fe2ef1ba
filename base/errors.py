"""The error of every reader of outside input."""


class ModelError(ValueError):
    """Bad input: one clear line that says what was wrong, the limit and the value."""
