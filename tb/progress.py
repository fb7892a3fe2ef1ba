"""Which tests keep a parallel run waiting: a line for each that has run for long, with the count of those done."""

import threading
import time

FIRST, AGAIN = 20, 60  # seconds until a test is named, and from one time to the next
POLL = 1


class Progress:
    """pytest plugin for the process that hands out the tests (pytest-xdist), which runs none itself."""

    def __init__(self, config, clock=time.monotonic):
        self.config, self.clock = config, clock
        self.running: dict[str, list] = {}  # test: when it began, when to name it
        self.done = 0
        self.over = threading.Event()

    def pytest_sessionstart(self, session):
        self.session = session
        threading.Thread(target=self._watch, daemon=True).start()

    def pytest_runtest_logstart(self, nodeid):
        now = self.clock()
        self.running[nodeid] = [now, now + FIRST]

    def pytest_runtest_logfinish(self, nodeid):
        self.running.pop(nodeid, None)
        self.done += 1

    def pytest_sessionfinish(self):
        self.over.set()

    def lines(self) -> list[str]:
        """What there is to say now."""
        now, result = self.clock(), []
        for nodeid, times in list(self.running.items()):
            began, due = times
            if now >= due:
                times[1] = now + AGAIN
                result.append(f"{self.done} of {self.session.testscollected} done, {now - began:.0f} s in {nodeid}")
        return result

    def _watch(self):
        writer = self.config.get_terminal_writer()
        while not self.over.wait(POLL):
            for line in self.lines():
                if writer.width_of_current_line:  # behind the dots of the tests that are done
                    writer.line()
                writer.line(line)
                writer.flush()


def register(config) -> None:
    """Add the plugin where tests are handed out to workers."""
    if getattr(config.option, "dist", "no") != "no" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Progress(config), "progress")
