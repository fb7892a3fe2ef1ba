"""Lazy shifting: how an accumulator that shifts right by up to 31 in one cycle stays fast.

The recurrence is acc = (acc >> growth) + term. Its accumulator is kept `scale` bits up, acc = A >> scale with scale in
0 .. STEP - 1, so the loop around A only shifts by 0, STEP or 2 * STEP and the term comes shifted left by `scale`:

    scale + growth = step * STEP + new scale;     A = (A >> step * STEP) + (term << new scale)

That is exact: floor(floor(A / 2**a) / 2**b) = floor(A / 2**(a + b)), and a whole term may be added before the floor.
"""
STEP = 16
SCALE_BITS = 4  # of `scale`
STEP_BITS = 2  # of `step`: 0, 1, 2 or CLEAR
CLEAR = 3  # `step` of the first term: drop what was there
