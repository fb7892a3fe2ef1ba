// What goes in and comes out of a block s -> m.
wire f_in = s_valid && s_ready;
wire [F_WIDTH-1:0] f_put = s_data;
wire f_out = m_valid && m_ready;
wire [F_WIDTH-1:0] f_got = m_data;
