// When a buffer shows and takes.
//   F_THROUGH     1: an empty one shows what comes in within the cycle, 0: a cycle later
//   F_REGISTERED  1: s_ready is a register, low in reset and rises a cycle after it; 0: it follows m_ready
reg f_rested = 0;                // the cycle before was none of reset
reg f_asked = 0;                 // in the cycle before an entry stood at s and was not taken
reg [F_WIDTH-1:0] f_asked_data;
always @(posedge clk) begin
    f_rested <= !rst;
    f_asked <= !rst && s_valid && !s_ready;
    f_asked_data <= s_data;
end

always @* if (f_past && !rst) begin
    // what the source of a stream promises; the others hold without it
    if (F_THROUGH && f_asked) environment(s_valid && s_data == f_asked_data);
    assert(m_valid == (f_held != 0 || (F_THROUGH && f_in)));                // nothing is lost: what is there is shown
    if (!F_REGISTERED) assert(s_ready == (f_held < F_CAPACITY || m_ready));
    else if (f_rested) assert(s_ready == (f_held < F_CAPACITY));            // it takes all that it has room for
    else assert(!s_ready && f_held == 0);                                   // after reset
    cover(f_rested && f_held == 0 && f_in);
end
