"""Faults and stress at the decoder's top: resets, bad images, stalls, crowds, extremes, and the live checks."""
