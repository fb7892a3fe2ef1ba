// One token after the other: its key rows, then its query rows, beside them its value rows. No row of a cache is read
// while it is written, nor before it is; the live checks of all queues inside hold.
//   F_POS, F_BASE  bits of a position and of the rest of a cache address
(* anyconst *) wire [2:0] f_head_dim, f_kv_mul;
(* anyconst *) wire [1:0] f_kv_heads;
wire [3:0] f_heads = f_kv_mul * f_kv_heads;
reg [3:0] f_keys = 0, f_queries = 0, f_values = 0; // rows of the token that came
reg [4:0] f_pairs = 0;                             // pairs of it that left
wire f_key = s_valid && s_ready && s_tag != 1, f_query = s_valid && s_ready && s_tag == 1;
wire f_value = s_value_valid && s_value_ready, f_pair = m_valid && m_ready;
wire f_ends = f_pair && m_last;
reg f_runs = 0;                                    // from a token's first row to its last pair
reg [F_POS+1:0] f_place;                           // position, layer and sequence of the cycle before
reg f_rested = 0;
reg [(1<<F_BASE)-1:0] f_key_rows = 0, f_value_rows = 0; // of each head: the token's row is in the cache

(* hierconn *) wire \u_attention_units_0.u_key_side.we , \u_attention_units_0.u_key_side.step ;
(* hierconn *) wire \u_attention_units_0.u_value_side.we , \u_attention_units_0.u_value_side.regular ;
(* hierconn *) wire [F_BASE+F_POS-1:0] \u_attention_units_0.u_key_side.addr , \u_attention_units_0.u_key_side.waddr ;
(* hierconn *) wire [F_BASE+F_POS-1:0] \u_attention_units_0.u_value_side.addr ;
(* hierconn *) wire [F_BASE+F_POS-1:0] \u_attention_units_0.u_value_side.waddr ;
wire [F_BASE+F_POS-1:0] f_key_reads = \u_attention_units_0.u_key_side.addr ;
wire [F_BASE+F_POS-1:0] f_key_writes = \u_attention_units_0.u_key_side.waddr ;
wire [F_BASE+F_POS-1:0] f_value_reads = \u_attention_units_0.u_value_side.addr ;
wire [F_BASE+F_POS-1:0] f_value_writes = \u_attention_units_0.u_value_side.waddr ;

always @(posedge clk) begin
    f_rested <= !rst;
    f_place <= {pos, layer, seq};
    if (rst || f_ends) begin
        f_keys <= 0;
        f_queries <= 0;
        f_values <= 0;
        f_pairs <= 0;
        f_runs <= 0;
        f_key_rows <= 0;
        f_value_rows <= 0;
    end
    else begin
        f_keys <= f_keys + f_key;
        f_queries <= f_queries + f_query;
        f_values <= f_values + f_value;
        f_pairs <= f_pairs + f_pair;
        f_runs <= f_runs || f_key || f_query || f_value;
        if (\u_attention_units_0.u_key_side.we ) f_key_rows[f_key_writes >> F_POS] <= 1;
        if (\u_attention_units_0.u_value_side.we ) f_value_rows[f_value_writes >> F_POS] <= 1;
    end
end
always @* begin
    assume(head_dim == f_head_dim && kv_mul == f_kv_mul && n_kv_heads == f_kv_heads);
    assume(head_dim == 2 || head_dim == 4);
    assume(kv_mul == 1 || kv_mul == 2);
    assume(n_kv_heads == 1 || n_kv_heads == 2);
end
always @* if (f_past && !rst) begin
    if (f_runs) environment({pos, layer, seq} == f_place);
    if (s_valid) environment(f_keys < f_kv_heads ? s_tag == 0 : s_tag == 1 && f_queries < f_heads);
    if (s_value_valid) environment((f_runs || f_key) && f_values < f_kv_heads);
    if (\u_attention_units_0.u_key_side.step && f_key_reads[F_POS-1:0] == pos)
        assert(f_key_rows[f_key_reads >> F_POS]);
    if (\u_attention_units_0.u_value_side.regular && f_value_reads[F_POS-1:0] == pos)
        assert(f_value_rows[f_value_reads >> F_POS]);
    if (m_valid) assert(m_last == (f_pairs + 1 == f_heads * (f_head_dim >> 1)));
    cover(\u_attention_units_0.u_key_side.step && f_queries == 2 && f_key_reads[F_POS-1:0] == 1);
    cover(\u_attention_units_0.u_value_side.regular && f_values == 1 && pos == 1 && f_value_reads[F_POS-1:0] == 1);
end
