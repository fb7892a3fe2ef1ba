// The places of a ring. F_DEPTH: how many.
wire [5:0] f_sum = read + count;
wire [5:0] f_place = f_sum >= F_DEPTH ? f_sum - F_DEPTH : f_sum;
always @* if (f_past && !rst) begin
    environment(!(push && count == F_DEPTH));
    environment(!(pop && count == 0));
    assert(count <= F_DEPTH);
    assert(some == (count != 0));
    assert(write < F_DEPTH && read < F_DEPTH);
    assert(write == f_place);
    if (push && pop) assert(write != read);  // one place is never written and read at once
    cover(count == F_DEPTH && write == F_DEPTH - 1);
    cover(F_DEPTH == 1 || (push && pop));
end
