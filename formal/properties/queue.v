// What goes in comes out, once, in order and unchanged. F_WIDTH: bits of an entry; F_CAPACITY: entries that fit.
(* anyseq *) wire f_choose;      // any one entry is watched
reg f_watching = 0;
reg [F_WIDTH-1:0] f_word;        // the watched one
reg [5:0] f_held = 0;            // entries inside, counted at the ports
reg [5:0] f_before = 0;          // of these in front of the watched one
reg f_offered = 0;               // in the cycle before an entry was offered and not taken
reg [F_WIDTH-1:0] f_offer;
wire f_starts = f_in && f_choose && !f_watching && !(f_out && f_held == 0);

always @(posedge clk) begin
    f_offered <= !rst && m_valid && !m_ready;
    f_offer <= f_got;
    if (rst) begin
        f_held <= 0;
        f_watching <= 0;
    end
    else begin
        f_held <= f_held + f_in - f_out;
        if (f_starts) begin
            f_watching <= 1;
            f_word <= f_put;
            f_before <= f_held - f_out;
        end
        else if (f_watching) begin
            f_before <= f_before - f_out;
            if (f_out && f_before == 0) f_watching <= 0;
        end
    end
end

always @* if (f_past && !rst) begin
    assert(f_held <= F_CAPACITY);                                           // nothing is doubled, no overflow
    if (f_out) assert(f_held != 0 || f_in);                                 // nothing comes from nowhere
    if (f_offered) assert(m_valid && f_got == f_offer);                     // an offer stands
    if (f_watching) assert(f_before < f_held);
    if (f_watching && f_before == 0 && m_valid) assert(f_got == f_word);    // order, and nothing changed
    if (f_out && f_held == 0) assert(f_got == f_put);
    cover(f_held == F_CAPACITY && f_watching);
    cover(f_watching && f_before == 0 && f_out);
end
