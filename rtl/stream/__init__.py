"""Valid/ready streams: the interface class and the blocks that hold, delay and meter them."""
