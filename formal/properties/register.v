// Where the entry is.
always @* if (f_past && !rst) begin
    assert(f_held == m_valid);
end
