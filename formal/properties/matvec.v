// A row that is begun has a place: the credits that are out are the rows under way.
(* hierconn *) wire [F_CREDIT_BITS-1:0] \u_credit.used ;
(* hierconn *) wire [5:0] \u_results.u_rows_fifo.f_entries ;
(* hierconn *) wire \u_results.oldest_valid ;
wire [5:0] f_waits = \u_results.u_rows_fifo.f_entries ;
reg [5:0] f_travel;
integer f_i;
always @* begin
    f_travel = now_row_end;
    for (f_i = 0; f_i < MAC; f_i = f_i + 1) f_travel = f_travel + travelling[f_i];
end
always @* if (f_past && !rst) begin
    assert(\u_credit.used == f_travel + f_waits);
    assert(\u_results.oldest_valid == (f_waits != 0));
    cover(arrives && f_waits == 1);
end
