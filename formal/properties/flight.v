// A pipeline that cannot stall, with credits and a FIFO behind it, loses nothing and never overflows.
//   F_LATENCY    cycles of the pipeline
//   F_LABEL      bits of an entry, its high ones, that are delayed beside the pipeline and no result of it
//   F_FULL_RATE  1: deep enough for an entry a cycle
//   F_INSIDE     where credits and FIFO are
(* hierconn *) wire [F_COUNT_BITS-1:0] \F_INSIDE.u_credit.used ;
(* hierconn *) wire [5:0] \F_INSIDE.u_fifo.f_entries ;
(* hierconn *) wire [5:0] \F_INSIDE.u_fifo.f_peek ;
(* hierconn *) wire [F_WIDTH-1:0] \F_INSIDE.u_fifo.f_found ;
reg [F_LATENCY*F_WIDTH-1:0] f_pipe;          // what entered, the newest low
reg [5:0] f_age = 0;                         // cycles since the watched one entered, up to one more than the pipeline's
reg f_rested = 0, f_flowed = 0;              // in the cycle before: no reset; m_ready
wire [F_LATENCY-1:0] f_ahead = f_age > F_LATENCY ? 0 : \F_INSIDE.travelling >> f_age;
reg [5:0] f_ones, f_ones_ahead;
integer f_i;

always @* begin
    f_ones = 0;
    f_ones_ahead = 0;
    for (f_i = 0; f_i < F_LATENCY; f_i = f_i + 1) begin
        f_ones = f_ones + \F_INSIDE.travelling [f_i];
        f_ones_ahead = f_ones_ahead + f_ahead[f_i];
    end
end
always @(posedge clk) begin
    f_pipe <= {f_pipe, f_put};
    f_rested <= !rst;
    f_flowed <= m_ready;
    if (f_starts) f_age <= 1;
    else if (f_age <= F_LATENCY) f_age <= f_age + 1;
end

assign \F_INSIDE.u_fifo.f_peek = f_before;
wire [F_WIDTH-1:0] f_due = f_pipe[F_LATENCY*F_WIDTH-1:(F_LATENCY-1)*F_WIDTH];
always @* if (f_past && !rst) environment(f_result == f_due[F_WIDTH-F_LABEL-1:0]);
always @* if (f_past && !rst) begin
    assert(!(\F_INSIDE.results_valid && !\F_INSIDE.results_ready ));      // there is always room
    assert(m_valid == (\F_INSIDE.u_fifo.f_entries != 0));
    assert(f_held == f_ones + \F_INSIDE.u_fifo.f_entries );
    assert(\F_INSIDE.u_credit.used == f_held + f_owed);
    if (f_watching && f_age <= F_LATENCY) begin
        assert(f_age != 0 && \F_INSIDE.travelling [f_age-1]);
        assert(f_pipe[(f_age-1)*F_WIDTH +: F_WIDTH] == f_word);
        assert(f_before == f_ones_ahead + \F_INSIDE.u_fifo.f_entries );
    end
    if (f_watching && f_age > F_LATENCY) begin
        assert(f_before < \F_INSIDE.u_fifo.f_entries );                   // out of the pipeline after its latency
        assert(\F_INSIDE.u_fifo.f_found == f_word);
    end
    if (F_FULL_RATE && f_rested && f_flowed) assert(f_room);               // an entry a cycle
end
