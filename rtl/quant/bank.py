"""A bank of the quantiser: a small RAM that is written and read row by row."""
from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.stream.stream import uint
from llama2_myhdl.spec.config import clog2


@hblock
def bank(clk, rst, write, written, filled, data, read, emptied, element, ROWS):
    """Two halves of ROWS rows of len(data) bits; both sides begin with row 0 of the first half.

    write: data goes to the row being written. written: that row is done, the next one follows; filled: so is this half,
    row 0 of the other one follows. read, emptied: the same for the row being read, which `read` makes element a cycle
    later, else it holds.
    The addresses are counted in every bank: two registers that led to all of them would be far from most.
    """
    ROW_BITS = clog2(ROWS)
    write_half, read_half = uint(1), uint(1)
    write_row, read_row = uint(ROW_BITS), uint(ROW_BITS)
    write_address, read_address = uint(ROW_BITS + 1), uint(ROW_BITS + 1)

    ram_ = ram(clk, we=write, waddr=write_address, wdata=data, load=read, raddr=read_address, rdata=element,
               DEPTH=1 << (ROW_BITS + 1))

    @always_comb
    def address():
        write_address.next = concat(write_half, write_row)
        read_address.next = concat(read_half, read_row)

    @always(clk.posedge)
    def count():
        if rst:
            write_half.next = 0
            write_row.next = 0
            read_half.next = 0
            read_row.next = 0
        else:
            if filled:
                write_half.next = not write_half
                write_row.next = 0
            elif written:
                write_row.next = write_row + 1
            if emptied:
                read_half.next = not read_half
                read_row.next = 0
            elif read:
                read_row.next = read_row + 1

    return ram_, address, count
