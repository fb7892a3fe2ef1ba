// Where the entries are.
always @* if (f_past && !rst) begin
    assert(f_held == m_valid + full);
    assert(m_valid || !full);
    assert(!(s_ready && full));
    if (f_watching) assert((f_before == 0 ? head : spare) == f_word);
end
