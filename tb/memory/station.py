"""What the tests of a station's tapes read, on the chip and behind a bus."""

STATIONS = {  # name: whether it has layers, the head
    "engine alone": (True, True),
    "engine": (True, False),
    "head": (False, True),
}
LAYERS, LAYER_BEATS, HEAD_BEATS = 2, 13, 9  # of its tapes
TURNS = 12  # of the tapes, where there are two
READ = 31  # most beats of a turn
