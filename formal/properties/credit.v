// Credits: never more are out than there are.
reg f_rested = 0;
always @(posedge clk) f_rested <= !rst;
always @* if (f_past && !rst) begin
    environment(!(take && !ready));
    environment(!(give && used == 0));
    assert(used <= DEPTH);
    assert(!(ready && used == DEPTH));
    if (f_rested) assert(ready == (used != DEPTH));
    else assert(!ready && used == 0);
    cover(used == DEPTH);
    cover(take && give);
end
