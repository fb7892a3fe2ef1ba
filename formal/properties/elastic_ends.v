// What goes into a pipeline beside the block, and its results. F_WIDTH: bits of a result.
wire f_in = s_valid && s_ready;
(* anyseq *) wire [F_WIDTH-1:0] f_put;
wire [F_WIDTH-1:0] f_result = result_data;
wire f_out = m_valid && m_ready;
wire [F_WIDTH-1:0] f_got = m_data;
wire f_room = s_ready;
