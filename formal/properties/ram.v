// What stands at the address f_peek, and the lowest bit of every word.
wire [$bits(raddr)-1:0] f_peek;
wire [$bits(rdata)-1:0] f_found = words_rdata[f_peek];
reg [(1<<$bits(raddr))-1:0] f_low;
integer f_k;
always @* for (f_k = 0; f_k < (1 << $bits(raddr)); f_k = f_k + 1) f_low[f_k] = words_rdata[f_k];
