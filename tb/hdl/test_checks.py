"""Every live check of the hardware is known here, with the test that provokes it in both simulators."""

import ast
from pathlib import Path

import pytest

from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.hdl.hierarchy import ModuleFile
from tb.hdl.planted import Planted

# words of the check's message that its test waits for, and where that test is
DIVIDE, RING, LOOP, RESIDUAL = (
    "attention/test_divide.py", "matvec/test_activation_buffer.py", "decode/test_decode_loop.py",
    "layer/test_residual.py",
)  # fmt: skip
PROVOKED = {
    "a key row is read while it is written": ("attention/test_collisions.py", "test_collision_is_seen"),
    "a value row is read while it is written": ("attention/test_collisions.py", "test_collision_is_seen"),
    "a pair enters a full queue": ("attention/test_pair_queue.py", "test_a_pair_too_many"),
    "a query row enters a full queue": ("attention/test_query_queue.py", "test_a_row_too_many"),
    "serialise: a head was loaded before the last pair of the one before": (DIVIDE, "test_limits_in_verilog"),
    "denominator: a head was taken before its reciprocal was there": (DIVIDE, "test_limits_in_verilog"),
    "denominator: more heads wait than there is room for": (DIVIDE, "test_limits_in_verilog"),
    "a word that may still be read is overwritten": (RING, "test_a_word_too_many_is_seen"),
    "that is not there": (RING, "test_misuse_is_seen"),
    "not its last": (RING, "test_misuse_is_seen"),
    "a word of the bus has no place": ("axi/test_word_queue.py", "test_a_word_too_many"),
    "finds no place": ("matvec/test_results.py", "test_overflow_is_seen"),
    "a packet has overtaken another one of its sequence": (LOOP, "test_overtaking_is_noticed"),
    "more tokens on their way back than sequences": ("decode/test_loop_checks.py", "test_a_token_too_many_is_noticed"),
    "orders: more requests under way than there is room for": ("decode/test_orders.py", "test_misuse_is_seen"),
    "orders: an answer without a request": ("decode/test_orders.py", "test_misuse_is_seen"),
    "an element is read before it is written": (RESIDUAL, "test_checks_fire"),
    "a vector is not as long as x": (RESIDUAL, "test_checks_fire"),
}


def messages(text: str) -> list[str]:
    """Of the calls of `check` in a module; ValueError for one that is no plain text."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check":
            words = [word.value for word in node.keywords if word.arg == "MESSAGE"]
            if len(words) != 1 or not isinstance(words[0], ast.Constant):
                raise ValueError(f"line {node.lineno}: check: MESSAGE must be a text that stands there")
            found.append(words[0].value)
    return found


def test_every_check_is_provoked():
    """Each message has the words of one test, and no test waits for a check that has gone."""
    found = [message for file in sorted((PROJECT / "rtl").rglob("*.py")) for message in messages(file.read_text())]
    assert len(found) == len(PROVOKED)
    assert {message: sum(words in message for words in PROVOKED) for message in found} == dict.fromkeys(found, 1)


@pytest.mark.parametrize("words", PROVOKED)
def test_its_test_is_there(words):
    """In both simulators, and it waits for these words."""
    file, name = PROVOKED[words]
    text = (Path(__file__).parents[1] / file).read_text()
    (test,) = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == name]
    source = "\n".join(text.splitlines()[test.lineno - 1 : test.end_lineno])
    assert "sim" in [argument.arg for argument in test.args.args] and words in text
    assert "pytest.raises(AssertionError, match=" in source


def test_a_new_check_is_seen():
    assert messages('c = check(clk, rst, lost, MESSAGE="a new one")') == ["a new one"]
    with pytest.raises(ValueError, match="MESSAGE must be a text"):
        messages("c = check(clk, rst, lost, MESSAGE=text)")


def test_a_fault_is_planted_once(tmp_path):
    """In the block that is named; a text that is not there, or twice, is no fault."""
    file = tmp_path / "a.v"
    file.write_text("q <= a; r <= a; s <= b;")
    module = ModuleFile("a", file, "a")
    made = tmp_path / "made"
    made.mkdir()
    (found,) = Planted("a", "<= b", "<= 1'b1")([module], made)
    assert found.file.read_text() == "q <= a; r <= a; s <= 1'b1;" and found.file != file
    for right in ("<= a", "<= c"):
        with pytest.raises(ValueError, match="^a: must have"):
            Planted("a", right, "")([module], made)
