// The beats of each command: as many of each kind as it says, in their order. LANES is 4.
localparam F_LANES = 4, F_LANE_BITS = 2;
reg f_pending = 0, f_runs = 0;               // a command waits; one runs
reg [F_KIND-1:0] f_next_kind, f_kind;
reg [F_ROWS-1:0] f_next_rows, f_rows;
reg [F_BEATS-1:0] f_next_beats, f_beats;
reg f_next_release, f_release, f_next_head, f_head;
reg [F_ROWS-1:0] f_row = 0;                  // of the one that runs: rows done,
reg [F_BEATS-1:0] f_column = 0;              // beats of the row, or of gains,
reg [F_ROWS-1:0] f_headers = 0;              // beats of exponents,
reg [F_ROWS+F_BEATS-1:0] f_weights = 0;      // beats of weights
wire f_gains = f_kind == GAIN;
wire f_taken = tape_valid && tape_ready;
wire f_row_ends = f_column + 1 == f_beats;
wire f_ends = f_runs && f_taken && (f_gains ? f_row_ends : f_weight && f_row_ends && f_row + 1 == f_rows);
wire f_weight = f_taken && f_runs && !f_gains && f_headers == (f_row >> F_LANE_BITS) + 1;
wire f_header = f_taken && f_runs && !f_gains && !f_weight;
wire f_starts = f_pending && (!f_runs || f_ends);
reg f_rested = 0, f_was_weight, f_was_header, f_was_row, f_was_last, f_was_first, f_was_passed, f_was_idle;
reg [F_LANE_BITS-1:0] f_was_lane;
reg [F_KIND-1:0] f_was_kind;
reg f_was_free;

always @(posedge clk) begin
    f_rested <= !rst;
    f_was_weight <= f_weight;
    f_was_header <= f_header;
    f_was_row <= f_weight && f_row_ends;
    f_was_first <= f_column == 0;
    f_was_last <= f_row + 1 == f_rows;
    f_was_free <= f_row + 1 == f_rows && f_release;
    f_was_lane <= f_row;
    f_was_kind <= f_kind;
    f_was_passed <= f_taken;
    f_was_idle <= !f_runs;
    if (rst) begin
        f_pending <= 0;
        f_runs <= 0;
    end
    else begin
        if (s_valid && s_ready) begin
            f_pending <= 1;
            f_next_kind <= s_kind;
            f_next_rows <= s_rows;
            f_next_beats <= s_beats;
            f_next_release <= s_release;
            f_next_head <= s_head;
        end
        else if (f_starts) f_pending <= 0;
        if (f_starts) begin
            f_runs <= 1;
            f_kind <= f_next_kind;
            f_rows <= f_next_rows;
            f_beats <= f_next_beats;
            f_release <= f_next_release;
            f_head <= f_next_head;
            f_row <= 0;
            f_column <= 0;
            f_headers <= 0;
            f_weights <= 0;
        end
        else begin
            if (f_ends) f_runs <= 0;
            if (f_header) f_headers <= f_headers + 1;
            if (f_weight) f_weights <= f_weights + 1;
            if (f_weight || f_gains && f_taken) f_column <= f_row_ends && !f_gains ? 0 : f_column + 1;
            if (f_weight && f_row_ends) f_row <= f_row + 1;
        end
    end
end

always @* if (f_past && !rst) begin
    if (s_valid) environment(s_beats != 0 && (s_kind == GAIN || s_rows != 0));
    // a beat only for a command, of weights only with its activation word and a place for its row
    assert(s_ready == !f_pending);
    if (f_taken) assert(f_runs);
    assert(step == f_weight);
    assert(row == (f_weight && f_row_ends));
    if (f_weight) assert(there && room);
    if (f_runs && f_gains) assert(tape_ready == gain_ready && gain_valid == tape_valid);
    else assert(!gain_valid);
    // nothing but these holds a beat
    if (f_runs && !f_gains && tape_valid && there && room) assert(f_taken);
    if (f_weight) assert(drop == (f_row_ends && f_row + 1 == f_rows && f_release) && again == (f_row_ends && !drop));
    if (f_runs) assert(from_head == f_head);
    // as many beats as the command says
    if (f_ends && !f_gains) begin
        assert(f_weights + 1 == f_rows * f_beats);
        assert(f_headers == (f_rows + F_LANES - 1) >> F_LANE_BITS);
    end
    // a cycle later
    if (f_rested) begin
        assert(m_weight == f_was_weight && m_exponents == f_was_header && m_row_end == f_was_row);
        if (f_was_weight) assert(m_first == f_was_first && m_last == f_was_last && m_free == f_was_free);
        if (f_was_weight) assert(m_lane == f_was_lane && m_kind == f_was_kind);
        assert((cause == IDLE) == f_was_idle);
        assert((cause == WEIGHTS) == f_was_weight);
        assert((cause == WEIGHTS || cause == HEADER) == f_was_passed);
    end
    // where the block keeps it
    assert(waiting == f_pending);
    if (waiting) begin
        assert(next_kind == f_next_kind && next_frees == f_next_release && next_head == f_next_head);
        assert(next_rows == f_next_rows && next_last_row == (f_next_rows == 1));
        assert(next_behind == f_next_beats - 1 && next_single == (f_next_beats == 1));
        assert(f_next_beats != 0 && (f_next_kind == GAIN || f_next_rows != 0));
    end
    assert((phase == NOTHING) == !f_runs);
    if (f_runs) begin
        assert((phase == 3) == f_gains);
        assert(kind == f_kind && frees == f_release && behind == f_beats - 1 && single == (f_beats == 1));
        assert(left == f_beats - 1 - f_column && first_beat == (f_column == 0) && last_beat == (left == 0));
        assert(f_beats != 0 && f_column < f_beats);
    end
    if (f_runs && !f_gains) begin
        assert(rows == f_rows - f_row && f_row < f_rows && last_row == (rows == 1));
        assert(lane == f_row[F_LANE_BITS-1:0]);
        assert(f_headers == (f_row + F_LANES - 1 >> F_LANE_BITS) + (phase == ROWS && lane == 0));
        if (phase == EXPONENTS) assert(lane == 0 && f_column == 0);
        assert(f_weights == f_row * f_beats + f_column);
    end
    cover(f_ends && f_weight && f_rows == 5 && f_beats == 2 && f_starts);
    cover(f_ends && f_gains);
    cover(f_weight && drop);
end
