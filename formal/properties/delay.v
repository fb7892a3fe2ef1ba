// What is under way, the newest low.
reg [$bits(d)*CYCLES-1:0] f_stages;
integer f_k;
always @* for (f_k = 0; f_k < CYCLES; f_k = f_k + 1) f_stages[$bits(d)*f_k +: $bits(d)] = stages[f_k];
