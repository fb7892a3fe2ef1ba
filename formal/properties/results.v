// Rows find a place, and each meets the scalar of its own vector. F_PLACES: rows that may wait, F_SUM: bits of a sum and its
// exponent, F_WIDTH: of its tag; F_STAGES: of narrowing.
(* hierconn *) wire [5:0] \u_rows_fifo.f_entries , \u_scalars_fifo.f_entries ;
(* hierconn *) wire [5:0] \u_rows_fifo.f_peek , \u_scalars_fifo.f_peek ;
(* hierconn *) wire [F_SUM+F_WIDTH:0] \u_rows_fifo.f_found ;
(* hierconn *) wire [26:0] \u_scalars_fifo.f_found ;
wire [5:0] f_waits = \u_rows_fifo.f_entries ;
(* anyconst *) wire [3:0] f_number;           // any one vector is watched
reg [3:0] f_arriving = 0, f_entering = 0, f_scalars = 0;  // vector of the next row to arrive, to enter; of the scalar
reg [26:0] f_scalar;
reg f_rested = 0;
always @(posedge clk) begin
    f_rested <= !rst;
    if (rst) begin
        f_arriving <= 0;
        f_entering <= 0;
        f_scalars <= 0;
    end
    else begin
        if (arrives && row_free) f_arriving <= f_arriving + 1;
        if (enter && oldest_free) f_entering <= f_entering + 1;
        if (s_scale_valid && s_scale_ready) begin
            f_scalars <= f_scalars + 1;
            if (f_scalars == f_number) f_scalar <= {s_scale_scale, s_scale_factor};
        end
    end
end
wire [3:0] f_ahead = f_scalars - f_entering, f_at = f_number - f_entering;
assign \u_scalars_fifo.f_peek = f_at;
// the watched row's tag: in the FIFO, or in the stage of that number
reg [2:0] f_stage = 0;
reg [5:0] f_ones, f_ones_ahead;
integer f_i;
always @* begin
    f_ones = 0;
    f_ones_ahead = 0;
    for (f_i = 0; f_i < F_STAGES; f_i = f_i + 1) begin
        f_ones = f_ones + valids[f_i];
        if (f_i >= f_stage) f_ones_ahead = f_ones_ahead + valids[f_i];
    end
end
always @(posedge clk)
    if (f_starts) f_stage <= 0;
    else if (f_stage != 0 ? advance : enter && f_before == f_ones) f_stage <= f_stage + 1;
assign \u_rows_fifo.f_peek = f_before - f_ones;
always @* if (f_past && !rst) begin
    environment(!(arrives && f_waits == F_PLACES));   // who starts rows keeps count of `taken`
    environment(!arrives || f_rested);
    assert(f_waits <= F_PLACES);
    assert(taken == (f_waits != 0 && scalar_valid && advance));
    if (enter && f_entering == f_number) assert({scalar_scale, scalar_factor} == f_scalar);
    // where the block keeps it
    assert(f_held == f_ones + f_waits);
    if (f_watching && f_stage == 0) assert(f_before >= f_ones && \u_rows_fifo.f_found [F_SUM +: F_WIDTH] == f_word);
    if (f_watching && f_stage != 0) begin
        assert(f_stage <= F_STAGES && valids[f_stage-1] && tags[f_stage-1] == f_word);
        assert(f_before == f_ones_ahead);
    end
    assert(oldest_valid == (f_waits != 0));
    assert(scalar_valid == (\u_scalars_fifo.f_entries != 0));
    assert(f_ahead == \u_scalars_fifo.f_entries );
    if (f_at < f_ahead) assert(\u_scalars_fifo.f_found == f_scalar);
    cover(enter && f_entering == 2 && f_number == 2);
    cover(f_waits == F_PLACES && f_scalars == 1);
end
