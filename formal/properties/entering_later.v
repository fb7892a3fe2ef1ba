// A result enters its pipeline when it is begun, or later.
reg [5:0] f_owed = 0;
always @(posedge clk) f_owed <= rst ? 0 : f_owed + take - enter;
always @* if (f_past && !rst) begin
    environment(!(take && !room));
    environment(!(enter && !take && f_owed == 0));
    assert(f_owed <= F_CAPACITY);
    cover(f_owed == 2);
end
