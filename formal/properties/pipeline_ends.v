// What enters a pipeline beside the block, and its results with their labels of 6 bits. F_WIDTH: bits of both.
wire f_in = enter;
(* anyseq *) wire [F_WIDTH-7:0] f_computed;
wire [F_WIDTH-1:0] f_put = {label_last, label_tag, f_computed};
wire [F_WIDTH-7:0] f_result = result_data;
wire f_out = m_valid && m_ready;
wire [F_WIDTH-1:0] f_got = {m_last, m_tag, m_data};
wire f_room = room;
