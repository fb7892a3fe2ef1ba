// The ring of activation words, by the numbers of the words that came: nothing is used that is not there, nothing is
// overwritten that may be used again, and a word comes back as it came.
localparam F_ADDRESS = $bits(write), F_PART = $bits(parts_in_0);
wire f_in = s_valid && s_ready;
reg [7:0] f_written = 0, f_read = 0, f_base = 0;   // words that came; the next one to use; the first one of its vector
reg [63:0] f_lasts;                                // of the newest 64 words: the last one of a vector
(* anyconst *) wire [7:0] f_number;                // any one word is watched
reg [$bits(data)-1:0] f_word;
reg f_used = 0;                                    // in the cycle before: the watched one was used,
reg f_stepped = 0, f_stepped_last;                 // any one was, which was its vector's last,
reg f_roomy = 0, f_rested = 0;                     // there was room and nothing came; no reset
wire f_wholly = f_lasts[f_read[5:0]];                // the next word to use is the last one of its vector
wire [F_ADDRESS-1:0] f_limit = base + CAPACITY;
wire [7:0] f_live = f_written - f_base;
wire [7:0] f_ahead = f_read - f_base;
wire [7:0] f_behind = f_number - f_base;
wire f_there = f_behind < f_live;

always @(posedge clk) begin
    f_rested <= !rst;
    f_used <= !rst && step && f_read == f_number;
    f_stepped <= !rst && step;
    f_stepped_last <= f_wholly;
    f_roomy <= f_live < CAPACITY && !f_in;
    if (rst) begin
        f_written <= 0;
        f_read <= 0;
        f_base <= 0;
    end
    else begin
        if (f_in) begin
            f_written <= f_written + 1;
            f_lasts[f_written[5:0]] <= s_last;
            if (f_written == f_number) f_word <= s_data;
        end
        if (step) begin
            f_read <= again ? f_base : f_read + 1;
            if (drop) f_base <= f_read + 1;
        end
    end
end

(* hierconn *) wire [F_ADDRESS-1:0] \u_ring_parts_0.write , \u_ring_parts_0.word , \u_ring_parts_0.base ;
(* hierconn *) wire [F_ADDRESS-1:0] \u_ring_parts_1.write , \u_ring_parts_1.word , \u_ring_parts_1.base ;
(* hierconn *) wire [F_ADDRESS-1:0] \u_last_ring_part.write , \u_last_ring_part.word , \u_last_ring_part.base ;
(* hierconn *) wire [F_ADDRESS-1:0] \u_ring_parts_0.u_ram.f_peek , \u_ring_parts_1.u_ram.f_peek  ;
(* hierconn *) wire [F_PART-1:0] \u_ring_parts_0.u_ram.f_found , \u_ring_parts_1.u_ram.f_found ;
(* hierconn *) wire [CAPACITY:0] \u_last_ring_part.u_ram.f_low ;
assign \u_ring_parts_0.u_ram.f_peek = f_number[F_ADDRESS-1:0];
assign \u_ring_parts_1.u_ram.f_peek = f_number[F_ADDRESS-1:0];

reg f_flags;                                       // the flags of all words in the ring are theirs
reg [F_ADDRESS-1:0] f_place;
reg [5:0] f_name;
integer f_n;
always @* begin
    f_flags = 1;
    for (f_n = 0; f_n < CAPACITY; f_n = f_n + 1) begin
        f_place = base + f_n;
        f_name = f_base + f_n;
        if (f_n < f_live && \u_last_ring_part.u_ram.f_low [f_place] != f_lasts[f_name]) f_flags = 0;
    end
end

always @* if (f_past && !rst) begin
    environment(!step || there);
    environment(!(step && again && drop));
    environment(!(step && drop) || f_wholly);
    if (f_rested) assert(there == (f_read != f_written));
    if (s_ready) assert(f_live < CAPACITY);
    if (f_rested && f_roomy) assert(s_ready);
    if (!f_rested) assert(!s_ready && !there && f_live == 0);
    assert(f_live <= CAPACITY && f_ahead <= f_live);
    if (f_used) assert(data == f_word);
    if (f_stepped) assert(last_out == f_stepped_last);
    assert(!dropped || f_stepped && f_stepped_last);
    // where the block keeps it
    assert(write == f_written[F_ADDRESS-1:0] && word == f_read[F_ADDRESS-1:0] && base == f_base[F_ADDRESS-1:0] && limit == f_limit);
    assert(write == \u_ring_parts_0.write && word == \u_ring_parts_0.word && base == \u_ring_parts_0.base );
    assert(write == \u_ring_parts_1.write && word == \u_ring_parts_1.word && base == \u_ring_parts_1.base );
    assert(write == \u_last_ring_part.write && word == \u_last_ring_part.word && base == \u_last_ring_part.base );
    if (f_there) assert({\u_ring_parts_1.u_ram.f_found , \u_ring_parts_0.u_ram.f_found } == f_word);
    assert(f_flags);
    cover(f_used && step && again);
    cover(f_live == CAPACITY && step && drop);
    cover(f_written == 5 && f_base == 4);
end
