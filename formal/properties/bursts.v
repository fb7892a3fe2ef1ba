// The bursts of a region: all its words in order, over and over, each as long as can be and within a page.
// F_PAGE: bits of an address, in words, within a page.
reg f_stands = 0;                           // the region was told
reg [$bits(base)-1:0] f_base;
reg [$bits(rest)-1:0] f_rest;
reg [$bits(rest):0] f_done = 0;             // words of the round that bursts have covered
reg f_offered = 0;
reg [$bits(base)-1:0] f_word;
reg [7:0] f_len;
wire [$bits(base):0] f_end = base + rest;
wire [$bits(base)-1:0] f_to = m_word + m_len;  // the burst's last word
wire f_moves = m_valid && m_ready;
always @(posedge clk) begin
    f_stands <= !rst && enable;
    f_base <= base;
    f_rest <= rest;
    f_offered <= !rst && m_valid && !m_ready;
    f_word <= m_word;
    f_len <= m_len;
    if (rst) f_done <= 0;
    else if (f_moves) f_done <= f_done + m_len == rest ? 0 : f_done + m_len + 1;
end
always @* if (f_past && !rst) begin
    environment(!f_end[$bits(base)]);
    if (f_stands) environment(enable && base == f_base && rest == f_rest);
    if (f_offered) assert(m_valid && m_word == f_word && m_len == f_len);
    if (m_valid) begin
        assert(m_word == base + f_done);                                            // the next word, none left out
        assert(f_done + m_len <= rest);                                             // none beyond the region
        assert(m_word >> F_PAGE == f_to >> F_PAGE);                                 // within a page
        assert(m_len <= LAST);
        assert(f_done + m_len == rest || (f_to & LAST) == LAST);                    // no shorter than it must be
    end
    // where the block keeps it
    assert(!begun || f_stands);
    if (!begun) assert(!m_valid && f_done == 0);
    else assert(word == base + f_done && behind == rest - f_done);
    assert(f_done <= rest || !begun);
    cover(f_moves && f_done != 0 && f_done + m_len == rest);
    cover(f_moves && m_len == LAST && f_done != 0);
    cover(f_moves && m_len == 0 && rest != 0);
end
