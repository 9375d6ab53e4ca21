"""Debian's Chromium without a window, steered over the DevTools protocol through a pipe."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PACKAGES = "chromium"
WAIT_SECONDS = 40.0

# Nothing is asked of the network; WebGL is drawn by the processor.
OPTIONS = (
    "--headless", "--no-sandbox", "--no-first-run", "--disable-quic", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions",
    "--disable-default-apps", "--disable-dev-shm-usage", "--mute-audio", "--hide-scrollbars",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
    "--autoplay-policy=no-user-gesture-required", "--force-color-profile=srgb",
    "--window-size=1280,900", "--remote-debugging-pipe",
)  # fmt: skip

Event = dict[str, Any]


def program() -> str | None:
    """The browser's path, or None where none is installed. Ubuntu has it as a snap."""
    return shutil.which("chromium") or shutil.which("/snap/bin/chromium")


def missing() -> str | None:
    """The apt line that installs the peer, or None where it is installed."""
    return None if program() else f"apt-get install {PACKAGES}"


class PageFailed(Exception):
    """An expression of the test failed in the page, or did not come true in time."""


@dataclass(slots=True)
class Page:
    """One tab: what the test does in it, and what it was seen to do."""

    _browser: Browser
    _session: str
    events: list[Event] = field(default_factory=list)

    def open(self, url: str) -> None:
        """Begin to load `url`."""
        self.call("Page.navigate", url=url)

    def close(self) -> None:
        """Close the tab."""
        self._browser.close(self._session)

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol and return its result."""
        return self._browser.call(method, parameters, self._session)

    def evaluate(self, expression: str) -> Any:
        """The JSON value of a JavaScript expression; a promise is awaited."""
        said = self.call(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in said:
            details = said["exceptionDetails"]
            raise PageFailed(details.get("exception", {}).get("description", details["text"]))
        return said["result"].get("value")

    def until(self, expression: str, seconds: float = WAIT_SECONDS) -> Any:
        """The value of an expression as soon as it is true, tried at every frame drawn."""
        return self.evaluate(
            f"""new Promise((found, failed) => {{
              const last = performance.now() + {seconds * 1000};
              const look = () => {{
                const value = (() => {{ try {{ return {expression} }} catch {{ return null }} }})();
                if (value) found(value);
                else if (performance.now() > last) failed(new Error({json.dumps(expression)}));
                else setTimeout(look, 20);
              }};
              look();
            }})"""
        )

    def click(self, selector: str, *, clicks: int = 1) -> None:
        """Click the middle of the first element that a CSS selector finds."""
        where = self.until(
            f"""(() => {{
              const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();
              return box.width && [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        for count in range(1, clicks + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self.call("Input.dispatchMouseEvent", type=kind, x=where[0], y=where[1],
                          button="left", clickCount=count)  # fmt: skip

    def screenshot(self) -> bytes:
        """What the page shows, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def responses(self) -> list[tuple[int, str, str]]:
        """Status, method and URL of every answer so far, in order."""
        asked = {
            each["params"]["requestId"]: each["params"]["request"]["method"]
            for each in self.events
            if each["method"] == "Network.requestWillBeSent"
        }
        return [
            (each["params"]["response"]["status"], asked.get(each["params"]["requestId"], ""),
             each["params"]["response"]["url"])
            for each in self.events
            if each["method"] == "Network.responseReceived"
        ]  # fmt: skip

    def failures(self) -> list[str]:
        """Every request that failed, by status or without an answer."""
        urls = {
            each["params"]["requestId"]: each["params"]["request"]["url"]
            for each in self.events
            if each["method"] == "Network.requestWillBeSent"
        }
        lost = [
            f"{each['params']['errorText']} {urls.get(each['params']['requestId'], '')}"
            for each in self.events
            if each["method"] == "Network.loadingFailed" and not each["params"].get("canceled")
        ]
        return lost + [f"{status} {url}" for status, _, url in self.responses() if status >= 400]

    def complaints(self) -> list[str]:
        """Every error on the console and every exception nobody caught."""
        found = []
        for event in self.events:
            values = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                details = values["exceptionDetails"]
                found.append(details.get("exception", {}).get("description") or details["text"])
            elif event["method"] == "Runtime.consoleAPICalled" and values["type"] == "error":
                found.append(
                    " ".join(
                        str(each.get("description", each.get("value"))) for each in values["args"]
                    )
                )
            elif event["method"] == "Log.entryAdded" and values["entry"]["level"] == "error":
                found.append(f"{values['entry']['text']} {values['entry'].get('url', '')}")
        return found


class Browser:
    """A running Chromium. Messages are JSON, each ended by a zero byte."""

    def __init__(self, process: int, to: int, from_: int) -> None:
        self._process, self._to, self._from = process, to, from_
        self._next, self._buffer = 0, b""
        self._pages: dict[str, Page] = {}

    def page(self) -> Page:
        """Open a tab that records what happens in it."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(self, attached["sessionId"])
        self._pages[attached["sessionId"]] = page
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(f"{domain}.enable")
        return page

    def close(self, session: str) -> None:
        """Close a tab and forget it."""
        self.call("Page.close", session=session)
        del self._pages[session]

    def call(
        self, method: str, parameters: dict[str, Any] | None = None, session: str | None = None
    ) -> Any:
        """Call a method of the protocol, of the browser or of one session."""
        self._next += 1
        message: dict[str, Any] = {"id": self._next, "method": method, "params": parameters or {}}
        if session is not None:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        return self._until(lambda said: said.get("id") == self._next)

    def _until(self, wanted: Callable[[Event], bool]) -> Any:
        deadline = time.monotonic() + WAIT_SECONDS + 10
        while True:
            said = self._message(deadline)
            if wanted(said):
                if "error" in said:
                    raise PageFailed(said["error"]["message"])
                return said["result"]
            page = self._pages.get(said.get("sessionId", ""))
            if page is not None and "method" in said:
                page.events.append(said)

    def _message(self, deadline: float) -> Event:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._from, 1 << 20) if ready else b""
            if not piece:
                raise PageFailed("the browser does not answer")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        said: Event = json.loads(message)
        return said


@contextmanager
def running() -> Iterator[Browser]:
    """A browser with an empty profile until the block ends."""
    path = program()
    assert path is not None, missing()
    with TemporaryDirectory(prefix="vna-chromium-", ignore_cleanup_errors=True) as profile:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        log = str(Path(profile) / "log")
        process = os.posix_spawn(
            path,
            [path, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            os.environ | {"HOME": profile},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
                # above 9, so that neither target overwrites the other's source
                (os.POSIX_SPAWN_DUP2, theirs_in, 63),
                (os.POSIX_SPAWN_DUP2, theirs_out, 64),
                (os.POSIX_SPAWN_DUP2, 63, 3),
                (os.POSIX_SPAWN_DUP2, 64, 4),
            ],
            setpgroup=0,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            yield Browser(process, ours_out, ours_in)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(ours_in)
            os.close(ours_out)
