"""Planted faults, each of which a proof must find: some for each set of properties."""

from llama2_myhdl.formal.proof import Fault

FAULTS = {
    "register": [Fault("register", "if (s_valid && (m_ready || !m_valid)) begin", "if (s_valid) begin")],
    "skid": [
        Fault("skid", "s_ready <= !(full || accept);", "s_ready <= !full;"),
        Fault("skid", "m_valid <= full || accept;", "m_valid <= accept;"),
        Fault("skid", "else if (accept) begin", "else if (s_valid) begin"),
    ],
    "spill": [Fault("spill", "head = spare;", "head = entry;")],
    "fifo-1": [Fault("fifo", "if (some) begin", "if (s_valid) begin")],
    "fifo-3": [
        Fault("fifo", "s_ready <= count != 2;", "s_ready <= count != DEPTH;"),
        Fault("fifo", "if (advance && (some || s_valid)) begin", "if (some || s_valid) begin"),
        Fault("ring", "if (write == LAST) begin", "if (write == LAST + 1) begin"),
    ],
    "fifo-4": [Fault("ring", "some <= count != 1;", "some <= count != 2;")],
    "ring": [Fault("ring", "if (read == LAST) begin", "if (read == LAST - 1) begin")],
    "credit": [Fault("credit", "ready <= used != DEPTH;", "ready <= 1'b1;")],
    "elastic-1": [Fault("elastic", "assign take = s_valid && s_ready;", "assign take = s_valid;")],
    "elastic-3": [
        Fault("pipeline", "assign give = m_valid && m_ready;", "assign give = m_valid;"),
        Fault("pipeline", "later = {travelling, enter};", "later = {travelling, take && !travelling[0]};"),
    ],
    "elastic-3-2": [Fault("credit", "ready <= used != DEPTH;", "ready <= 1'b1;")],
    "pipeline": [Fault("delay", "assign q = stages[(CYCLES - 1)];", "assign q = stages[0];")],
    "reader": [Fault("reader", "assign address = s_address;", "assign address = s_address + 1;")],
    "pick": [
        Fault("pick", "assign take_again = free && s_again_valid && (turn || !may);",
              "assign take_again = free && s_again_valid;"),
        Fault("pick", "assign may = held && (prompting[seq] || (!running[seq]));", "assign may = held;"),
        Fault("pick", "turn <= 1'b1;", "turn <= 1'b0;"),
        Fault("pick", "m_seq <= s_again_seq;", "m_seq <= seq;"),
    ],
    "orders": [Fault("orders", "m_target <= oldest_target;", "m_target <= target;")],
    "decode_loop": [
        Fault("decode_loop", "pos = newest[x_seq] + 1;", "pos = newest[x_seq];"),
        Fault("decode_loop", "else if (pos == context_end) begin", "else if (pos == seq_len) begin"),
        Fault("decode_loop", "assign again_seq = s_prediction_seq;", "assign again_seq = x_seq;"),
    ],
    "issue": [
        Fault("issue", "last_row <= rows == 2;", "last_row <= rows == 3;"),
        Fault("issue", "else if ((phase == ROWS) && last_beat && (lane == LAST_LANE)) begin",
              "else if ((phase == ROWS) && last_beat && (lane == 0)) begin"),
        Fault("issue", "((phase == ROWS) && room && there)", "((phase == ROWS) && there)"),
    ],
    "activation_buffer": [
        Fault("activation_buffer", "limit <= after_word + CAPACITY;", "limit <= after_word;"),
        Fault("activation_buffer", "there <= arriving || stays;", "there <= 1'b1;"),
        Fault("ring_part", "if (drop) begin", "if (again) begin"),
    ],
    "results": [
        Fault("results", "assign scalar_ready = oldest_valid && oldest_free && (m_ready || !m_valid);",
              "assign scalar_ready = oldest_valid && (m_ready || !m_valid);"),
        Fault("results", "tags[0] <= {oldest_last, oldest_kind};", "tags[0] <= {row_last, row_kind};"),
    ],
    "matvec": [
        Fault("matvec", "travelling[(MAC - 1)-1:0], now_row_end}", "travelling[(MAC - 1)-1:0], now_weight}"),
        Fault("results", "assign taken = enter;", "assign taken = oldest_valid;"),
    ],
    "pair_queue": [
        Fault("pair_queue", "assign give = waiting_valid && m_ready;", "assign give = waiting_valid;"),
        Fault("pair_queue", "stays = direct && (waiting_valid || !m_ready);", "stays = direct && waiting_valid;"),
    ],
    "sequencer": [Fault("sequencer", "last <= t_next == pos;", "last <= t == pos;")],
    "value_gate": [
        Fault("value_gate", "assign regular = !last || (here && rested);", "assign regular = !last || rested;"),
        Fault("value_gate", "here <= ahead != 1;", "here <= 1'b1;"),
    ],
    "attention": [
        Fault("value_gate", "assign regular = !last || (here && rested);", "assign regular = 1'b1;"),
        Fault("sequencer", "last <= t_next == pos;", "last <= t == pos;"),
    ],
    "residual": [
        Fault("residual", "assign primed = known && (ahead_count == PREFETCH);",
              "assign primed = known && (ahead_count != 0);"),
        Fault("residual", "m_data <= -33'h80000000;", "m_data <= HIGHEST;"),
    ],
    "bursts-64": [
        Fault("bursts", "assign to_edge = LAST - word[INDEX-1:0];", "assign to_edge = LAST;"),
        Fault("bursts", "if (behind < to_edge) begin", "if (behind <= INDEX) begin"),
        Fault("bursts", "word <= (word + m_len) + 1;", "word <= word + m_len;"),
    ],
    "bursts-page": [
        Fault("bursts", "begun <= !m_last;", "begun <= m_last;"),
        Fault("bursts", "else if (m_ready) begin\n        m_valid", "else begin\n        m_valid"),
    ],
    "places": [
        Fault("places", "enough <= s_valid && (free > s_len);", "enough <= s_valid && (free >= s_len);"),
        Fault("places", "free <= free - s_len;", "free <= free - s_len - 1;"),
    ],
}  # fmt: skip
