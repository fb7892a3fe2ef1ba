// A pass's last step goes with its value row, or behind it; last steps keep their distance. F_HEADS: rows ahead at most.
reg [3:0] f_rows = 0;                              // rows that came, less kv heads whose last pass is done
reg [4:0] f_since = 31;                            // cycles since the last step of a pass went
(* anyconst *) wire [$bits(head_dim)-1:0] f_head_dim;
wire [4:0] f_distance = f_head_dim > 2 * INTERVAL ? f_head_dim >> 1 : INTERVAL;
wire [4:0] f_left = f_since < f_distance ? f_distance - f_since : 0;
reg f_held = 0, f_was_last, f_was_ends;            // in the cycle before a score waited, and did not go
always @* assume(head_dim == f_head_dim && head_dim < 16);
always @(posedge clk) begin
    f_held <= !rst && waiting && !permit;
    f_was_last <= last;
    f_was_ends <= ends;
    if (rst) begin
        f_rows <= 0;
        f_since <= 31;
    end
    else begin
        f_rows <= f_rows + arrives - (leaves && ends);
        if (leaves) f_since <= 1;
        else if (f_since != 31) f_since <= f_since + 1;
    end
end
always @* if (f_past && !rst) begin
    environment(!arrives || f_rows < F_HEADS);
    if (f_held) environment(waiting && last == f_was_last && ends == f_was_ends);
    assert(!(step && jump));
    if (step && last) assert(f_rows != 0);         // its row is in the cache
    if (jump) assert(arrives && last && f_rows == 0);
    assert(leaves == (waiting && permit && last));
    if (leaves) assert(f_since >= f_distance);
    assert(f_rows <= F_HEADS);
    if (waiting && !last) assert(permit);          // nothing else waits for a row
    // where the block keeps it
    assert(ahead == f_rows && here == (f_rows != 0));
    assert(interval == f_distance);
    assert(pause == f_left && rested == (f_left == 0));
    if (armed) assert(f_rows == 0 && rested && f_held && f_was_last);
    cover(jump && waiting);
    cover(step && last && f_rows == 2);
    cover(leaves && f_since == f_distance);
end
