"""A model's chat template: the text of a conversation as the model was trained on it."""

import json
from collections.abc import Sequence
from datetime import datetime

from jinja2 import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llama2_myhdl.base.errors import ModelError

LONGEST = 1 << 20  # characters
# a template is a program: it can fail as any can
_FAULTS = (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError)


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which keeps a template from everything outside, and a bound on what it can multiply."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context, operator, left, right):
        if operator == "**":
            raise ModelError("chat template: powers are not computed")
        sizes = [len(side) for side in (left, right) if hasattr(side, "__len__")]
        factors = [side for side in (left, right) if isinstance(side, int)]
        if sizes and factors and sizes[0] * factors[0] > LONGEST:
            raise ModelError(f"chat template: must make at most {LONGEST} characters")
        return super().call_binop(context, operator, left, right)


def _refuse(message):
    """What templates call for conversations that they are not for."""
    raise ModelError(f"chat template: {' '.join(str(message).split())[:200]}")


class ChatTemplate:
    """text: the template in Jinja's language; tokens: what it may name, such as bos_token and eos_token."""

    def __init__(self, text: str, tokens: dict[str, str]):
        environment = _Environment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
        environment.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
        self._tokens = tokens
        try:
            self._template = environment.from_string(text)
        except (TemplateError, RecursionError) as error:
            raise ModelError(f"chat template: {_line(error)}") from error

    def render(self, messages: Sequence[dict[str, str]]) -> str:
        """The conversation (role, content) up to where the model has its say. Raises ModelError."""
        parts, size = [], 0
        try:
            for part in self._template.generate(messages=list(messages), add_generation_prompt=True, **self._tokens):
                parts.append(part)
                size += len(part)
                if size > LONGEST:
                    raise ModelError(f"chat template: must make at most {LONGEST} characters")
        except ModelError:
            raise
        except _FAULTS as error:
            raise ModelError(f"chat template: {_line(error)}") from error
        return "".join(parts)


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
