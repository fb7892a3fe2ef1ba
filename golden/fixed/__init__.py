"""The integer golden model, one module a hardware unit: same schedule, widths and rounding as the RTL, bit for bit."""
