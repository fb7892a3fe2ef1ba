// The decode loop, with layers that answer the requests of each sequence in their order, whenever they like.
// F_ROOM: requests under way at most.
(* anyconst *) wire [F_TOKEN-1:0] f_vocab, f_stop_a, f_stop_b;
(* anyconst *) wire [F_POS:0] f_len;
wire f_request = m_request_valid && m_request_ready;
wire f_answer = s_prediction_valid && s_prediction_ready;
wire f_beat = m_token_valid && m_token_ready;
reg [F_POS:0] f_next [0:1];                  // of each slot: the position of its next request ..
reg [F_POS:0] f_done [0:1];                  // .. of its next answer ..
reg [F_POS:0] f_told [0:1];                  // .. and of its next beat
reg [(1<<F_POS)-1:0] f_scored [0:1];         // which requests want a prediction
reg f_over [0:1];                            // the last answer is given, its beat is not yet
reg [3:0] f_under = 0;                       // requests without an answer
reg f_early = 0;                             // in the cycle before an answer was offered in reset
reg f_asked = 0;
reg [F_TOKEN:0] f_asked_answer;

always @(posedge clk) begin
    f_early <= rst && s_prediction_valid;
    f_asked <= !rst && s_prediction_valid && !s_prediction_ready;
    f_asked_answer <= {s_prediction_token, s_prediction_seq};
    if (rst) begin
        f_next[0] <= 0; f_next[1] <= 0;
        f_done[0] <= 0; f_done[1] <= 0;
        f_told[0] <= 0; f_told[1] <= 0;
        f_over[0] <= 0; f_over[1] <= 0;
        f_under <= 0;
    end
    else begin
        f_under <= f_under + f_request - f_answer;
        if (f_request) begin
            f_next[m_request_seq] <= f_next[m_request_seq] + 1;
            f_scored[m_request_seq][m_request_pos] <= m_request_scored;
        end
        if (f_answer) f_done[s_prediction_seq] <= f_done[s_prediction_seq] + 1;
        if (f_beat) f_told[m_token_seq] <= m_token_last ? 0 : f_told[m_token_seq] + 1;
        if (ends) begin
            f_next[s_prediction_seq] <= 0;
            f_done[s_prediction_seq] <= 0;
            f_over[s_prediction_seq] <= 1;
        end
        if (f_beat && m_token_last && !(ends && s_prediction_seq == m_token_seq)) f_over[m_token_seq] <= 0;
    end
end

wire f_seq = s_prediction_seq;
wire [F_POS:0] f_waits = f_next[f_seq] - f_done[f_seq];
wire [(1<<F_POS)-1:0] f_wants = f_scored[f_seq];
always @* begin
    assume(vocab_size == f_vocab && seq_len == f_len && stop_a == f_stop_a && stop_b == f_stop_b);
    assume(f_len != 0 && f_len <= (1 << F_POS));
end
always @* if (f_past && !rst) begin
    // the layers, which are in reset too and then offer nothing, but maybe in its first cycle
    environment(!f_early);
    if (s_prediction_valid) begin
        environment(f_waits != 0 && s_prediction_pos == f_done[f_seq]);
        environment(s_prediction_scored == f_wants[s_prediction_pos]);
    end
    if (f_asked) environment(s_prediction_valid && {s_prediction_token, s_prediction_seq} == f_asked_answer);
    if (f_under == F_ROOM) environment(!m_request_ready);

    // requests of a sequence: one position after the other, none beyond the context
    if (m_request_valid) assert(m_request_pos == f_next[m_request_seq] && f_next[m_request_seq] < f_len);
    // one sequence at a time in a slot: at its end nothing of it is under way
    if (ends) assert(f_waits == 1 && !(m_request_valid && m_request_seq == f_seq));
    // a beat for each answer, in order
    if (m_token_valid) begin
        assert(m_token_pos == f_told[m_token_seq]);
        assert(m_token_last == (m_token_stop != 0));
        assert(m_token_last == f_over[m_token_seq]);
        if (!m_token_last) assert(f_done[m_token_seq] == f_told[m_token_seq] + 1);
    end
    cover(ends && stop == STOP_CONTEXT);
    cover(f_beat && m_token_sampled && !m_token_last && m_token_pos != 0);
    cover(f_under == F_ROOM);
end
