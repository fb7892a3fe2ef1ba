// The rows 0 .. pos of each pass, in order: none beyond the token's own.
localparam F_BITS = $bits(pos);
reg [F_BITS-1:0] f_t = 0;                          // the pass's next row
reg [F_BITS-1:0] f_pos_1, f_pos_2;                 // pos, one and two cycles ago
reg [1:0] f_age = 0;                               // cycles since reset, two at most
reg f_held = 0;
reg [$bits(base)-1:0] f_base;
always @(posedge clk) begin
    f_pos_1 <= pos;
    f_pos_2 <= f_pos_1;
    f_base <= base;
    f_held <= !rst && waiting && !taken;
    if (rst) begin
        f_t <= 0;
        f_age <= 0;
    end
    else begin
        if (f_age != 2) f_age <= f_age + 1;
        if (step) f_t <= taken ? 0 : f_t + 1;
    end
end
always @* if (f_past && !rst) begin
    if (waiting) environment(f_age == 2 && pos == f_pos_1 && pos == f_pos_2);
    if (f_held) environment(waiting && base == f_base);
    assert(step == (waiting && permit));
    if (waiting) begin
        assert(addr == {base, f_t});
        assert(f_t <= pos);
        assert(first == (f_t == 0) && last == (f_t == pos));
        assert(taken == (permit && f_t == pos));
    end
    // where the block keeps it
    assert(t == f_t && t_next == f_t + 1 && first == (f_t == 0));
    if (f_t != 0) assert(f_held && f_t <= f_pos_1 && last == (f_t == f_pos_1));
    if (f_age != 0) assert(at_origin == (f_pos_1 == 0));
    if (f_age == 2 && f_t == 0) assert(last == (f_pos_2 == 0));
    cover(taken && waiting && f_t == 2);
    cover(taken && waiting && f_t == 0);
end
