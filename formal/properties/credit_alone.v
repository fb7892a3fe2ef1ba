// `used` is what was taken and not given back.
reg [5:0] f_out = 0;
always @(posedge clk) f_out <= rst ? 0 : f_out + take - give;
always @* if (f_past && !rst) assert(used == f_out);
