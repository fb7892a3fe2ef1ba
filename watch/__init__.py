"""A page to watch the decoder on: its recording, the page, and the server that shows it."""
