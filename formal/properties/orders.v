// The oldest request without an answer is the one that `m` tells of. F_DEPTH: requests at most.
localparam F_WIDTH = $bits(oldest_seq) + 1 + $bits(m_target);
wire f_in = push;
wire f_out = pop;
wire [F_WIDTH-1:0] f_put = {target, given, seq};
(* anyseq *) wire f_choose;                 // any one request is watched
reg f_watching = 0;
reg [F_WIDTH-1:0] f_word;
reg [5:0] f_held = 0, f_before = 0;         // requests without an answer; of these in front of the watched one
reg f_oldest = 0;                           // it was the oldest one in the cycle before too
reg f_rested = 0;
(* hierconn *) wire [5:0] \u_fifo.f_entries , \u_fifo.f_peek ;
(* hierconn *) wire [F_WIDTH-1:0] \u_fifo.f_found ;
assign \u_fifo.f_peek = f_before;
always @(posedge clk) begin
    f_rested <= !rst;
    f_oldest <= !rst && f_watching && f_before == 0 && !pop;
    if (rst) begin
        f_held <= 0;
        f_watching <= 0;
    end
    else begin
        f_held <= f_held + push - pop;
        if (f_watching) begin
            f_before <= f_before - pop;
            if (pop && f_before == 0) f_watching <= 0;
        end
        else if (push && f_choose) begin
            f_watching <= 1;
            f_word <= f_put;
            f_before <= f_held - pop;
        end
    end
end
always @* if (f_past && !rst) begin
    environment(!push || f_rested && f_held < F_DEPTH);   // whoever makes requests has no more under way
    environment(!pop || f_held != 0);
    assert(f_held <= F_DEPTH);
    assert(f_held == \u_fifo.f_entries );
    assert(oldest_valid == (f_held != 0));
    if (f_watching) assert(f_before < f_held && \u_fifo.f_found == f_word);
    if (f_oldest) assert({m_target, m_given, oldest_seq} == f_word);
    cover(f_oldest && f_held == F_DEPTH);
end
