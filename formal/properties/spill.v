// Where the entry is.
always @* if (f_past && !rst) begin
    assert(f_held == full);
    assert(!(s_ready && full));
end
