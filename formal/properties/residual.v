// The residual vector: every element is what was loaded and all that was added since, saturated.
localparam F_BITS = $bits(m_data), F_INDEX = $bits(index);
(* anyconst *) wire [F_INDEX-1:0] f_index;         // any one element is watched
reg signed [F_BITS-1:0] f_x;
reg f_new = 0;                                     // it came in the cycle before,
reg f_emits = 0;                                   // and is wanted at m
reg [F_INDEX-1:0] f_at = 0, f_last = 0;            // number of the next element; of x's last one
reg f_loads = 0, f_known = 0;                      // x is being loaded; there is one
reg f_offered = 0;
reg [F_BITS:0] f_offer;
wire f_load = s_x_valid && s_x_ready, f_take = s_add_valid && s_add_ready;
wire f_ends = f_load ? s_x_last : s_add_last;
wire signed [F_BITS:0] f_sum = f_x + s_add_data;
wire signed [F_BITS-1:0] f_cut = f_sum[F_BITS] == f_sum[F_BITS-1] ? f_sum[F_BITS-1:0]
    : {f_sum[F_BITS], {(F_BITS-1){!f_sum[F_BITS]}}};

always @(posedge clk) begin
    f_offered <= !rst && m_valid && !m_ready;
    f_offer <= {m_last, m_data};
    f_new <= !rst && (f_load || f_take) && f_at == f_index;
    f_emits <= f_load || s_add_emit;
    if (rst) begin
        f_at <= 0;
        f_loads <= 0;
        f_known <= 0;
    end
    else if (f_load || f_take) begin
        f_at <= f_ends ? 0 : f_at + 1;
        if (f_at == f_index) f_x <= f_load ? s_x_data : f_cut;
        if (f_load) begin
            f_loads <= !s_x_last;
            f_known <= s_x_last;
            f_last <= f_at;
        end
    end
end
// where the block keeps it: in m, in the RAM, in front of the adder
(* hierconn *) wire [F_INDEX-1:0] \u_ram.f_peek ;
(* hierconn *) wire [F_BITS-1:0] \u_ram.f_found ;
assign \u_ram.f_peek = f_index;
wire [F_INDEX-1:0] f_second = f_at == f_last ? 0 : f_at + 1;
wire [F_INDEX-1:0] f_third = f_second == f_last ? 0 : f_second + 1;
always @* if (f_past && !rst) begin
    assert(index == f_at && loading == f_loads && known == f_known && between == (f_at == 0));
    if (f_known) assert(final_index == f_last && f_last >= 3 && f_at <= f_last && !f_loads);
    if (f_loads) assert(f_at != 0);
    if (!f_known && !f_loads) assert(f_at == 0);
    assert(f_new == (fresh && written_at == f_index));
    if (fresh) assert(m_last == (f_at == 0));
    if (fresh && f_at != 0) assert(written_at + 1 == f_at);
    if (fresh && f_at == 0) assert(f_known && written_at == f_last);
    if (f_known ? f_index <= f_last : f_index < f_at) assert((f_new ? m_data : \u_ram.f_found ) == f_x);
    if (f_known) begin
        assert(ahead_count <= 2);
        if (ahead_count != 2) assert(f_at == 0 && fetched_at == ahead_count);
        else assert(fetched_at == f_third);
        if (ahead_count == 1 && f_index == 0) assert(ahead == f_x);
        if (ahead_count == 2 && f_index == f_at) assert(old == f_x);
        if (ahead_count == 2 && f_index == f_second) assert(ahead == f_x);
    end
end
always @* if (f_past && !rst) begin
    if (s_x_valid && s_x_ready) environment(s_x_last ? f_at >= 3 : f_at != {F_INDEX{1'b1}});
    if (s_add_valid && f_known) environment(s_add_last == (f_at == f_last));
    assert(!(f_load && f_take));
    if (f_take) assert(f_known && !f_loads);
    if (f_load) assert(f_loads || f_at == 0);      // a new x begins between vectors
    if (f_offered) assert(m_valid && {m_last, m_data} == f_offer);
    if (f_new) assert(m_data == f_x && m_valid == f_emits);
    cover(f_new && f_take && f_index == 1);
    cover(f_take && f_at == f_last && saturated);
    cover(f_load && f_known);
end
