// The choice between tokens of prompts and sampled ones.
(* anyconst *) wire f_slot;                  // any one slot; there are two
wire f_prompt_in = s_prompt_valid && s_prompt_ready;
wire f_again_in = s_again_valid && s_again_ready;
wire f_frees = m_ready || !m_valid;

// a token of a prompt that is watched, and one that was sampled
(* anyseq *) wire f_choose;
reg [1:0] f_stage = 0;                       // where it is: nowhere, held, in m
reg [5:0] f_token;
reg f_seq, f_last;
reg f_sampled = 0;                           // m is the sampled token of the cycle before, and stays it
reg [5:0] f_again_token;
reg f_again_seq;
// who has been passed over how often; slots as their tokens tell
reg [1:0] f_again_waits = 0, f_prompt_waits = 0;
reg f_in_prompt = 0, f_runs = 0;
reg f_offered = 0;
reg [10:0] f_offer;
wire [10:0] f_shown = {m_token, m_seq, m_bad, m_scored, m_first, m_last};
reg f_asked = 0;
reg [6:0] f_asked_again;

always @(posedge clk) begin
    f_asked <= !rst && s_again_valid && !s_again_ready;
    f_asked_again <= {s_again_token, s_again_seq};
    f_offered <= !rst && m_valid && !m_ready;
    f_offer <= f_shown;
    if (rst) begin
        f_stage <= 0;
        f_sampled <= 0;
        f_again_waits <= 0;
        f_prompt_waits <= 0;
        f_in_prompt <= 0;
        f_runs <= 0;
    end
    else begin
        if (f_stage == 0 && f_prompt_in && f_choose) begin
            f_stage <= 1;
            f_token <= s_prompt_token;
            f_seq <= s_prompt_seq;
            f_last <= s_prompt_last;
        end
        else if (f_stage == 1 && take_prompt) f_stage <= 2;
        else if (f_stage == 2 && m_ready) f_stage <= 0;
        if (f_frees) f_sampled <= f_again_in;
        if (f_again_in) begin
            f_again_token <= s_again_token;
            f_again_seq <= s_again_seq;
        end
        if (!s_again_valid || f_again_in) f_again_waits <= 0;
        else if (f_frees) f_again_waits <= f_again_waits + 1;
        if (!may || take_prompt) f_prompt_waits <= 0;
        else if (f_frees) f_prompt_waits <= f_prompt_waits + 1;
        if (ended && ended_seq == f_slot) f_runs <= 0;
        if (take_prompt && seq == f_slot) begin
            f_in_prompt <= !last;
            if (!f_in_prompt) f_runs <= 1;
        end
    end
end

always @* if (f_past && !rst) begin
    if (f_asked) environment(s_again_valid && {s_again_token, s_again_seq} == f_asked_again);
    // who is granted has asked, one at a time, and only what is granted moves
    assert(!(take_prompt && take_again));
    assert(take_again == f_again_in);
    if (take_prompt) assert(held && f_frees);
    if (take_again) assert(f_frees);
    if (!enable) assert(!s_prompt_ready);
    // who waits is passed over once at most
    assert(f_again_waits <= 1);
    assert(f_prompt_waits <= 1);
    assert(f_again_waits == 0 || turn);
    assert(f_prompt_waits == 0 || !turn);
    // nothing is lost or changed
    if (f_offered) assert(m_valid && f_shown == f_offer);
    if (f_stage == 1) assert(held && token == f_token && seq == f_seq && last == f_last);
    if (f_stage == 2) assert(m_valid && m_token == f_token && m_seq == f_seq && m_last == f_last && !f_sampled);
    if (f_sampled) begin
        assert(m_valid && m_token == f_again_token && m_seq == f_again_seq);
        assert(!m_bad && m_scored && !m_first && m_last);
    end
    // a prompt's first token is told, and waits for the end of the sequence before it
    assert(prompting[f_slot] == f_in_prompt && running[f_slot] == f_runs);
    assert(opens == (take_prompt && first));
    if (take_prompt && seq == f_slot) assert(first == !f_in_prompt);
    if (opens && opens_seq == f_slot) assert(!f_runs);
    cover(f_again_waits == 1);
    cover(f_prompt_waits == 1);
    cover(f_stage == 2 && f_last);
    cover(held && seq == f_slot && !f_in_prompt && f_runs && f_frees);
end
