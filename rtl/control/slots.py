"""Which sequences run, as the mailboxes tell it."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def slots(clk, rst, push, push_last, slot, handed, ends, ends_slot, opened, prompting, busy, running):
    """push: in, a prompt token of `slot` is put into the mailbox, push_last: the prompt's last one; handed: in, the
    decoder has taken a prompt's last token; ends: in, a sequence's last beat has come, of ends_slot.

    Out: opened: a prompt's first token has been pushed, and not its last; prompting: nor has the decoder taken that;
    busy: the sequence of `slot` runs; running: a sequence does. A sequence that ends before its prompt does is over.
    """
    flags = uint(1 << len(slot))

    @always_comb
    def look():
        busy.next = flags[slot]
        running.next = flags != 0

    @always(clk.posedge)
    def prompts():
        if rst:
            opened.next = False
            prompting.next = False
        elif push:
            opened.next = not push_last
            prompting.next = True
        elif handed:
            prompting.next = False

    @always(clk.posedge)
    def sequences():
        if rst:
            flags.next = 0
        else:
            if push and not opened:
                flags.next[slot] = True
            if ends:
                flags.next[ends_slot] = False

    return look, prompts, sequences


def ports(seq_bits):
    """Fresh ports, by name."""
    names = ("clk", "rst", "push", "push_last", "handed", "ends", "opened", "prompting", "busy", "running")
    return dict(**{name: bit() for name in names}, slot=uint(seq_bits), ends_slot=uint(seq_bits))
