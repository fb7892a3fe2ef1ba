// Places for the beats of bursts: never more are taken than there are, and a burst that has its places passes.
reg [$bits(free)-1:0] f_used = 0;           // places of bursts that have passed, counted at the ports
reg f_waits = 0;
reg [$bits(s_word)-1:0] f_word;
reg [7:0] f_len;
reg f_fits = 0;                             // in the cycle before there were places for the burst that waits
wire f_passes = m_valid && m_ready;
always @(posedge clk) begin
    f_waits <= !rst && s_valid && !s_ready;
    f_word <= s_word;
    f_len <= s_len;
    f_fits <= !rst && s_valid && !s_ready && DEPTH - f_used > s_len;
    f_used <= rst ? 0 : f_used + (f_passes ? s_len + 1 : 0) - give;
end
always @* if (f_past && !rst) begin
    environment(!(give && f_used == 0));
    environment(s_len < DEPTH);
    if (f_waits) environment(s_valid && s_word == f_word && s_len == f_len);
    assert(f_used <= DEPTH);
    assert(free == DEPTH - f_used);
    assert(s_valid || !m_valid);
    assert(f_passes == (s_valid && s_ready));                                       // none is lost or doubled
    if (m_valid) assert(m_word == s_word && m_len == s_len && DEPTH - f_used > s_len);
    if (f_fits) assert(m_valid);
    if (f_used + s_len >= DEPTH) assert(!m_valid);
    cover(f_used == DEPTH);
    cover(f_passes && give);
end
