"""The shared base of the pyuvm regression: agents, predictor, scoreboard, coverage, environment, test."""
