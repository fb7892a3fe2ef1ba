// The fault of a live check never shows.
always @* if (f_past && !rst) assert(!fault);
