// The places of a ring, LAST + 1 of them.
wire [5:0] f_sum = read + count;
wire [5:0] f_place = f_sum > LAST ? f_sum - LAST - 1 : f_sum;
always @* if (f_past && !rst) begin
    environment(!(push && count > LAST));
    environment(!(pop && count == 0));
    assert(count <= LAST + 1);
    assert(some == (count != 0));
    assert(write <= LAST && read <= LAST);
    assert(write == f_place);
    if (push && pop) assert(write != read);  // one place is never written and read at once
    cover(count == LAST + 1 && write == LAST);
    cover(LAST == 0 || (push && pop));
end
