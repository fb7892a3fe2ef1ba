"""Text of a model for a terminal: what would steer the terminal is shown as a sign."""

_KEPT = "\n\t"
_CONTROLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in _KEPT} | {0x7F: 0x2421}
# C1 controls, and the marks that reverse the order of what follows
_STEERING = [*range(0x80, 0xA0), 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_SHOWN = _CONTROLS | {code: f"\\u{code:04x}" for code in _STEERING}


def plain(text: str) -> str:
    """The text with control characters as their pictures (U+2400 ..) or escapes; line feed and tab stay."""
    return text.translate(_SHOWN)
