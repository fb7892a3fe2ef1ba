// Credits: never more are out than there are. F_DEPTH: how many.
reg f_rested = 0;
always @(posedge clk) f_rested <= !rst;
always @* if (f_past && !rst) begin
    environment(!(take && !ready));
    environment(!(give && used == 0));
    assert(used <= F_DEPTH);
    assert(!(ready && used == F_DEPTH));
    if (f_rested) assert(ready == (used != F_DEPTH));
    else assert(!ready && used == 0);
    cover(used == F_DEPTH);
    cover(take && give);
end
