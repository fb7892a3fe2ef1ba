"""Number formats that are the arithmetic's own, not choices of a build."""

# F: residual, projections and attention output, signed fixed point 12.20
F_BITS = 32
F_FRAC = 20
F_MIN, F_MAX = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1

SCORE_FRAC = 8  # fraction bits of a base-2 score, index width of the exp2 table
EXP2_FRAC = 16  # exp2, reciprocal, rsqrt, sine and cosine mantissas: 1.0 = 2**16
UNIT = 1 << EXP2_FRAC
TABLE_BITS = 8  # 256-entry tables
INTERP_BITS = 12  # fraction bits used between two table entries
SEED_FRAC = 12  # fraction bits of the Newton seeds
PHASE_BITS = 32  # one turn = 2**32
EPS_FRAC = 32  # fraction bits of dim * epsilon in RMSNorm
WEIGHT_BITS = (8, 16)  # mantissa of a weight, a choice of the build; the first is the usual one
GAIN_BITS = 16  # norm gain mantissa, fraction in front: gain = m * 2**(e - 15)
