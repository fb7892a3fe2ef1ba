// The pipeline's own nets, where it is not the top.
(* hierconn *) wire [F_LATENCY-1:0] \F_INSIDE.travelling ;
(* hierconn *) wire \F_INSIDE.results_valid ;
(* hierconn *) wire \F_INSIDE.results_ready ;
