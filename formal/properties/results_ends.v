// The tags of rows, from their arrival to their results.
wire f_in = arrives;
wire [F_WIDTH-1:0] f_put = {row_last, row_kind};
wire f_out = m_valid && m_ready;
wire [F_WIDTH-1:0] f_got = {m_last, m_kind};
