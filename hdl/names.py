"""Names in the emitted Verilog: readable, unique, and the same in every run."""
import hashlib
import re

from llama2_myhdl.hdl.ports import HierarchyError

# IEEE 1800-2017, table B.1: MyHDL does not check names against it, and Verilator reads .v files as SystemVerilog.
KEYWORDS = frozenset("""
accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before begin bind bins
binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos config const
constraint context continue cover covergroup coverpoint cross deassign default defparam design disable dist do edge
else end endcase endchecker endclass endclocking endconfig endfunction endgenerate endgroup endinterface endmodule
endpackage endprimitive endprogram endproperty endspecify endsequence endtable endtask enum event eventually expect
export extends extern final first_match for force foreach forever fork forkjoin function generate genvar global highz0
highz1 if iff ifnone ignore_bins illegal_bins implements implies import incdir include initial inout input inside
instance int integer interconnect interface intersect join join_any join_none large let liblist library local
localparam logic longint macromodule matches medium modport module nand negedge nettype new nexttime nmos nor
noshowcancelled not notif0 notif1 null or output package packed parameter pmos posedge primitive priority program
property protected pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase
randsequence rcmos real realtime ref reg reject_on release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1
s_always s_eventually s_nexttime s_until s_until_with scalared sequence shortint shortreal showcancelled signed small
soft solve specify specparam static string strong strong0 strong1 struct super supply0 supply1 sync_accept_on
sync_reject_on table tagged task this throughout time timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand
trior trireg type typedef union unique unique0 unsigned until until_with untyped use uwire var vectored virtual void
wait wait_order wand weak weak0 weak1 while wildcard wire with within wor xnor xor
""".split())


def short_hash(text):
    """Six hexadecimal digits of the text, the same in every process."""
    return hashlib.sha1(text.encode()).hexdigest()[:6]


def readable(value):
    """A field's value as part of a name, or None if it is not short and plain."""
    value = str(value).strip("'\"")
    value = {"True": "1", "False": "0"}.get(value, value).replace("-", "m")
    return value if re.fullmatch(r"\w{1,16}", value) else None


def suffix(field, value):
    """The part of a variant's name that tells one field: `_depth16`, `_s_width33`, `_cfg3fa2c1`."""
    return f"_{field.lower()}{readable(value) or short_hash(str(value))}".replace(".", "_")


def distinguishing(variants):
    """Fields that tell the variants apart: each one does some good; the readable ones are tried first."""
    chosen, groups = [], 1
    every = dict.fromkeys(name for fields in variants for name in fields)
    for field in sorted(every, key=lambda name: any(readable(fields.get(name)) is None for fields in variants)):
        count = len({tuple(fields.get(name) for name in [*chosen, field]) for fields in variants})
        if count > groups:
            chosen, groups = [*chosen, field], count
    return chosen


def variant_names(base, variants, keys):
    """Module names of all variants of one block: the block's own name when there is one, else with suffixes.

    variants: a dict of fields (parameters, then port widths) each; keys: text that is unique to each variant.
    """
    if len(variants) == 1:
        return [base]
    chosen = distinguishing(variants)
    names = [base + "".join(suffix(field, fields.get(field)) for field in chosen) for fields in variants]
    if len(set(names)) < len(names):
        names = [f"{name}_{short_hash(key)}" for name, key in zip(names, keys)]
    return names


def check_identifiers(module, text):
    """Refuse Verilog whose ports, nets, processes or their variables use a keyword, or two of the nets one name."""
    seen = {}
    for kind, name in re.findall(r"^(input|output|wire|reg)\b[^;=]*?(\w+)(?: \[0:[^\];]*\])?(?: =[^;]*)?;", text, re.M):
        if name in KEYWORDS:
            raise HierarchyError(f"module {module}: {name} is a Verilog keyword")
        # an output is declared twice, as port and as net
        if name in seen and {seen[name], kind} not in ({"output", "wire"}, {"output", "reg"}):
            raise HierarchyError(f"module {module}: two signals named {name}")
        seen[name] = kind
    # labels of processes, and the variables in them
    for names in re.findall(r"\bbegin *: *(\w+)|^ +(?:reg|integer)\b[^;=]*?(\w+)(?: \[[^\]]*\])?;", text, re.M):
        if name := next((name for name in names if name in KEYWORDS), None):
            raise HierarchyError(f"module {module}: {name} is a Verilog keyword")
    if module in KEYWORDS:
        raise HierarchyError(f"module {module}: its name is a Verilog keyword")
