// Where the entries are.
assign f_peek = f_before;
always @* if (f_past && !rst) begin
    assert(f_held == f_entries);
    if (f_watching) assert(f_found == f_word);
end
