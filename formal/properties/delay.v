// What is under way, the newest low. F_WIDTH: bits.
reg [F_WIDTH*CYCLES-1:0] f_stages;
integer f_k;
always @* for (f_k = 0; f_k < CYCLES; f_k = f_k + 1) f_stages[F_WIDTH*f_k +: F_WIDTH] = stages[f_k];
