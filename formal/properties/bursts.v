// The bursts of runs: all words of each run in order, each burst as long as can be and within a page.
// F_PAGE: bits of an address, in words, within a page.
reg f_asked = 0;                            // a run was offered and not taken
reg [$bits(s_word)-1:0] f_first;            // of the run that is cut, or was last
reg [$bits(s_rest)-1:0] f_rest;
reg [$bits(s_rest):0] f_done = 0;           // words of it that bursts have covered
reg f_inside = 0;                           // it is not covered yet
reg f_offered = 0;
reg [$bits(s_word)-1:0] f_word, f_asked_word;
reg [$bits(s_rest)-1:0] f_asked_rest;
reg [7:0] f_len;
reg f_last;
wire [$bits(s_word):0] f_end = s_word + s_rest;
wire [$bits(s_word)-1:0] f_to = m_word + m_len;  // the burst's last word
wire f_takes = s_valid && s_ready;
wire f_moves = m_valid && m_ready;
always @(posedge clk) begin
    f_asked <= !rst && s_valid && !s_ready;
    f_asked_word <= s_word;
    f_asked_rest <= s_rest;
    f_offered <= !rst && m_valid && !m_ready;
    f_word <= m_word;
    f_len <= m_len;
    f_last <= m_last;
    if (rst) begin
        f_done <= 0;
        f_inside <= 0;
    end
    else if (f_takes) begin
        f_first <= s_word;
        f_rest <= s_rest;
        f_done <= 0;
        f_inside <= 1;
    end
    else if (f_moves) begin
        f_done <= f_done + m_len + 1;
        f_inside <= f_done + m_len != f_rest;
    end
end
always @* if (f_past && !rst) begin
    environment(!s_valid || !f_end[$bits(s_word)]);                                 // no run goes past the last address
    if (f_asked) environment(s_valid && s_word == f_asked_word && s_rest == f_asked_rest);
    if (f_offered) assert(m_valid && m_word == f_word && m_len == f_len && m_last == f_last);
    if (m_valid) begin
        assert(f_inside);
        assert(m_word == f_first + f_done);                                         // the next word, none left out
        assert(f_done + m_len <= f_rest);                                           // none beyond the run
        assert(m_word >> F_PAGE == f_to >> F_PAGE);                                 // within a page
        assert(m_len <= LAST);
        assert(m_last == (f_done + m_len == f_rest));                               // the last one says so
        assert(m_last || (f_to & LAST) == LAST);                                    // no shorter than it must be
    end
    // a run is taken when the one before is covered
    if (f_takes) assert(!f_inside);
    // where the block keeps it
    assert(begun == f_inside);
    if (!begun) assert(!m_valid);
    else begin
        assert(word == f_first + f_done && behind == f_rest - f_done && !s_ready);
        assert(f_done <= f_rest && {1'b0, f_first} + f_rest < 1 << $bits(s_word));
    end
    cover(f_moves && f_done != 0 && m_last);
    cover(f_moves && m_len == LAST && f_done != 0);
    cover(f_moves && m_len == 0 && f_rest != 0);
    cover(f_takes && f_done != 0);
end
