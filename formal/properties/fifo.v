// What a FIFO holds: f_entries, and the entry number f_peek of them, f_found.
wire [5:0] f_entries = count + m_valid;
wire [5:0] f_peek;
wire [5:0] f_index = read + f_peek - 1;
wire [5:0] f_at = f_index >= DEPTH ? f_index - DEPTH : f_index;
wire [$bits(head)-1:0] f_found = f_peek == 0 ? head : memory[f_at];
always @* if (f_past && !rst) begin
    assert(m_valid || !some);
    assert(!(s_ready && count == DEPTH));
end
