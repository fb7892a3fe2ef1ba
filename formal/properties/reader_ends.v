// What is asked of a store of any contents, and its answers. F_WIDTH: bits of a word; the address has 2 bits.
(* anyconst *) wire [4*F_WIDTH-1:0] f_store;
wire f_in = s_valid && s_ready;
wire [F_WIDTH-1:0] f_put = f_store >> (F_WIDTH * s_address);
wire [F_WIDTH-1:0] f_result = word;
wire f_out = m_valid && m_ready;
wire [F_WIDTH-1:0] f_got = m_data;
wire f_room = s_ready;
always @* if (f_past && !rst && f_in) assert(address == s_address);
