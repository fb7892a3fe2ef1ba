"""What every program needs: where files lie, whole writes, options of commands, errors of input."""
