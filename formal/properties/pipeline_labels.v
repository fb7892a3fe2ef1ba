// The labels travel as the results do.
(* hierconn *) wire [6*F_LATENCY-1:0] \u_delay.f_stages ;
integer f_j;
always @* if (f_past && !rst)
    for (f_j = 0; f_j < F_LATENCY; f_j = f_j + 1)
        if (travelling[f_j]) assert(\u_delay.f_stages [6*f_j +: 6] == f_pipe[F_WIDTH*(f_j+1)-6 +: 6]);
