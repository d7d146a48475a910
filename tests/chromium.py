"""A page in headless Chromium, driven through its debugging pipe: json messages, each followed by a NUL."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 60.0  # seconds, for one test
FLAGS = ["--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking"]


class Browser:
    """One page. events: the messages that are no answers to a command."""

    def __init__(self, send: int, receive: int):
        self.send, self.receive, self.ends = send, receive, time.monotonic() + PATIENCE
        self.rest, self.number, self.session = b"", 0, None
        self.events: list[dict[str, Any]] = []

    def ask(self, method: str, **params: Any) -> Any:
        """Returns the result of a command. Raises AssertionError if it fails or takes too long."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.send, json.dumps(message).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self.number:
                assert "error" not in told, told
                return told["result"]
            self.events.append(told)

    def wait(self, event: str) -> None:
        """Waits for an event."""
        while not any(one.get("method") == event for one in self.events):
            self.events.append(self._next())

    def run(self, script: str) -> Any:
        """Returns the value of an expression in the page."""
        told = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            left = self.ends - time.monotonic()
            assert left > 0, "Chromium takes too long"
            assert select([self.receive], [], [], left)[0], "Chromium does not answer"
            some = os.read(self.receive, 1 << 20)
            assert some, "Chromium ended"
            self.rest += some
        one, _, self.rest = self.rest.partition(b"\0")
        return json.loads(one)


@contextmanager
def opened(page: Path, width: int = 1280, height: int = 900, dark: bool = False, media: str = "") -> Iterator[Browser]:
    """Opens a file in a browser that can reach nothing else; yields it when the page has loaded."""
    (theirs, ours), (our_end, their_end) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        words = [*FLAGS, f"--user-data-dir={profile}", "--no-sandbox", "--remote-debugging-pipe", "about:blank"]

        def take() -> None:  # Chromium reads from file descriptor 3 and writes to 4
            read, write = os.dup(theirs), os.dup(their_end)
            os.dup2(read, 3)
            os.dup2(write, 4)

        process = subprocess.Popen([str(PROGRAM), *words, "--proxy-server=127.0.0.1:9"], close_fds=False,
                                   preexec_fn=take, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        os.close(theirs)
        os.close(their_end)
        try:
            browser = Browser(ours, our_end)
            target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
            browser.session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                browser.ask(f"{domain}.enable")
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
            browser.ask("Emulation.setDeviceMetricsOverride", **size)
            scheme = [{"name": "prefers-color-scheme", "value": "dark"}] if dark else []
            browser.ask("Emulation.setEmulatedMedia", media=media, features=scheme)
            browser.ask("Page.navigate", url=page.resolve().as_uri())
            browser.wait("Page.loadEventFired")
            yield browser
        finally:
            process.kill()
            process.wait()
            os.close(ours)
            os.close(our_end)
