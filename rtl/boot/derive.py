"""Computes the registers that follow from those of a boot image: one sum of products after the other."""

from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock, tied
from llama2_myhdl.hdl.lanes import unpack
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.registers import REGISTERS, WORD, register_limits, rules

IDLE, DECODE, FETCH, TAKE_A, TAKE_B, MULTIPLY, GIVE = range(7)
STEP_BITS = 3
WHOLE, ROWS, BLOCKS = range(3)  # what the sum counts: itself, groups of as many as there are lanes, blocks of beats
UNIT_BITS = 2


def value_bits(build: BuildConfig) -> int:
    """Width that holds every term and sum, as long as all registers used are within their limits."""
    highs = {name: high for name, (_, high) in register_limits(build).items()}
    totals = [rule.total(highs) for rule in rules(build).values()]
    operands = [highs[name] for rule in rules(build).values() for term in rule.terms for name in term]
    return max(totals + operands).bit_length()


def _joined(fields, *values) -> int:
    """The values side by side in one word, the first one low, each as wide as its Signal."""
    word, low = 0, 0
    for field, value in zip(fields, values, strict=True):
        word |= value << low
        low += len(field)
    return word


@hblock
def derive(clk, rst, we, number, word, start, give, value, CFG):
    """Evaluates `rules` of `spec/registers.py` in their order, once a `start`.

    we, number, word: in, write register `number`, those of the image and, as they are given, those of the rules behind
    them. start: in, pulse with the last one of the image or after it. give, value: out, give is high for a cycle for
    each rule, `value` uint(value_bits) is its register then, right if all that it follows from is within its limits.

    A memory of all registers and a shift-and-add multiplier. A term takes 5 cycles and one for each bit of its
    second register (one if there is none), a rule one more.

        we ─> memory ─> a << k, b >> k ─> sum ─> >> ─> value
    """
    RULES = rules(CFG)
    NUMBER = {name: k for k, name in enumerate((*REGISTERS, *RULES))}
    TERMS = [(rule, k) for rule in RULES.values() for k in range(len(rule.terms))]
    UNITS = {CFG.block_beats: BLOCKS, CFG.lanes: ROWS, 1: WHOLE}
    LAST_TERM = len(TERMS) - 1
    ROW_SHIFT, BLOCK_SHIFT = clog2(CFG.lanes), CFG.block_beats.bit_length() - 1
    ADDRESS, WIDTH = clog2(len(NUMBER)), len(value)

    step, term = uint(STEP_BITS), uint(clog2(len(TERMS)))
    # of the term at hand: its registers; it has only one; the rule ends with it; offset and unit of the rule
    a, b, alone, ends = uint(ADDRESS), uint(ADDRESS), bit(), bit()
    offset, unit = uint(max(rule.offset for rule in RULES.values()).bit_length()), uint(UNIT_BITS)
    fields = [a, b, alone, ends, offset, unit]
    CODE = tuple(
        _joined(
            fields,
            NUMBER[rule.terms[k][0]],
            NUMBER[rule.terms[k][-1]],
            len(rule.terms[k]) == 1,
            k == len(rule.terms) - 1,
            rule.offset,
            UNITS[1 << rule.shift],
        )
        for rule, k in TERMS
    )
    code = uint(sum(len(field) for field in fields))
    fresh = bit()  # the term is a rule's first one
    waddr, raddr = uint(ADDRESS), uint(ADDRESS)
    stored, operand, left = [uint(WIDTH) for _ in range(3)]
    addend, total = [Signal(modbv(0)[WIDTH:]) for _ in range(2)]

    ram_ = ram(
        clk,
        we=we,
        waddr=waddr,
        wdata=stored,
        load=tied(bit(True)),
        raddr=raddr,
        rdata=operand,
        DEPTH=len(NUMBER),
        STYLE="distributed",
    )
    decoding = unpack(code, fields)

    @always_comb
    def connect():
        waddr.next = number[ADDRESS:]
        stored.next = word[WIDTH:]
        give.next = step == GIVE

    @always_comb
    def address():
        if step == FETCH:
            raddr.next = a
        else:
            raddr.next = b

    @always_comb
    def divide():
        if unit == ROWS:
            value.next = total >> ROW_SHIFT
        elif unit == BLOCKS:
            value.next = total >> BLOCK_SHIFT
        else:
            value.next = total

    @always(clk.posedge)
    def look_up():
        code.next = CODE[term]

    @always(clk.posedge)
    def control():
        if rst:
            step.next = IDLE
            term.next = 0
            fresh.next = True
        elif step == IDLE:
            if start:
                step.next = DECODE
        elif step == MULTIPLY:
            if left == 0:
                if ends:
                    step.next = GIVE
                else:
                    step.next = DECODE
                    term.next = term + 1
                    fresh.next = False
        elif step == GIVE:
            fresh.next = True
            if term == LAST_TERM:
                step.next = IDLE
                term.next = 0
            else:
                step.next = DECODE
                term.next = term + 1
        else:
            step.next = step + 1

    @always(clk.posedge)
    def multiply():
        if step == TAKE_A:
            addend.next = operand
            if fresh:
                total.next = offset
        elif step == TAKE_B:
            if alone:
                left.next = 1
            else:
                left.next = operand
        elif step == MULTIPLY:
            if left[0]:
                total.next = total + addend
            addend.next = addend << 1
            left.next = left >> 1

    return (
        ram_,
        decoding,
        connect,
        address,
        divide,
        look_up,
        control,
        multiply,
    )


def ports(build: BuildConfig) -> dict:
    """Fresh ports and parameters, by name."""
    number, value = uint(clog2(len(REGISTERS) + len(rules(build)))), uint(value_bits(build))
    pins = dict(we=bit(), number=number, word=uint(WORD), start=bit(), give=bit(), value=value)
    return dict(clk=bit(), rst=bit(), **pins, CFG=build)
