// A result enters its pipeline when it is begun.
wire [5:0] f_owed = 0;
