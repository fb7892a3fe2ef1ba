// Where the pairs are. F_CREDIT_BITS: of a count of the front FIFO's places
(* hierconn *) wire [5:0] \u_fifo.f_entries , \u_fifo.f_peek ;
(* hierconn *) wire [F_WIDTH-1:0] \u_fifo.f_found , \u_ram.f_found ;
(* hierconn *) wire [$bits(read)-1:0] \u_ram.f_peek ;
(* hierconn *) wire [F_CREDIT_BITS-1:0] \u_credit.used ;
reg f_rested = 0;
always @(posedge clk) f_rested <= !rst;
wire [5:0] f_front = \u_fifo.f_entries ;
wire [5:0] f_behind = f_before - f_front;                       // place behind the front FIFO's entries
wire [5:0] f_stored = f_behind - arrives - fetched;             // place in the RAM
wire [5:0] f_sum = read + f_stored;
wire [5:0] f_wrapped = f_sum >= DEPTH ? f_sum - DEPTH : f_sum;
assign \u_fifo.f_peek = f_before;
assign \u_ram.f_peek = f_wrapped;
always @* if (f_past && !rst) begin
    environment(!push || f_held < DEPTH && f_rested);           // whoever feeds it keeps to its depth
    assert(m_valid == (f_front != 0 || direct));
    assert(f_held == f_front + arrives + fetched + count);
    assert(\u_credit.used == f_front + arrives + fetched);
    assert(!front_valid || front_ready);                        // there is always room
    if (f_watching && f_before < f_front) assert(\u_fifo.f_found == f_word);
    if (f_watching && f_before >= f_front && f_behind < arrives + fetched)
        assert((f_behind == 0 && arrives ? held : found) == f_word);
    if (f_watching && f_before >= f_front + arrives + fetched) assert(\u_ram.f_found == f_word);
    cover(f_watching && f_out && f_before == 2);
end
