// The pairs of heads, in the RAM, on their way from it and in the front FIFO, are one queue.
wire f_in = push;
wire [F_WIDTH-1:0] f_put = pair_data;
wire f_out = m_valid && m_ready;
wire [F_WIDTH-1:0] f_got = m_data;
