"""A headless Chromium, driven by the DevTools protocol through a pipe, for pages that need more than to be read."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """The program; `./test` installs it."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    assert found, "no Chromium"
    return found


class Page:
    """A page of a browser that listens on no port: its messages are JSON with a NUL behind each."""

    def __init__(self, requests: int, answers: int) -> None:
        self._requests, self._answers, self._rest, self._number = requests, answers, b"", 0
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call("Emulation.setFocusEmulationEnabled", session=self._session, enabled=True)

    def open(self, address: str) -> None:
        """Go to an address."""
        self._call("Page.navigate", session=self._session, url=address)

    def view(self, width: int, scheme: str, height: int = 800) -> None:
        """Show the page in a window of a size, to somebody who likes it light or dark."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", session=self._session, **size)
        liked = [{"name": "prefers-color-scheme", "value": scheme}]
        self._call("Emulation.setEmulatedMedia", session=self._session, features=liked)

    def value(self, script: str) -> Any:
        """What a script of the page gives; a promise is waited for. None where the page is just being replaced."""
        answer = self._call(
            "Runtime.evaluate", session=self._session, expression=script, awaitPromise=True, returnByValue=True
        )
        return answer.get("result", {}).get("value")

    def until(self, script: str, seconds: float = 60) -> Any:
        """What a script gives, once that is something."""
        end = time.monotonic() + seconds
        while not (value := self.value(script)):
            assert time.monotonic() < end, f"{script}: {value}; {self.value('document.body.innerText')}"
            time.sleep(0.1)
        return value

    def click(self, selector: str) -> None:
        """Click on the last element that a selector finds, once there is one."""
        find = f"[...document.querySelectorAll({json.dumps(selector)})].at(-1)?.getBoundingClientRect()"
        box = self.until(f"(box => box && [box.x + box.width / 2, box.y + box.height / 2])({find})")
        mouse = {"x": box[0], "y": box[1], "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", session=self._session, type=kind, **mouse)

    def write(self, text: str) -> None:
        """Type a text where the cursor is."""
        self._call("Input.insertText", session=self._session, text=text)

    def run_cell(self) -> None:
        """Press Shift and Enter."""
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": 8}
        for kind in ("rawKeyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", session=self._session, type=kind, **key)

    def picture(self, path: Path) -> None:
        """Write what can be seen into a PNG."""
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", session=self._session)["data"]))

    def _call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        os.write(self._requests, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        while True:
            while b"\0" not in self._rest:
                assert select.select([self._answers], [], [], 60)[0], f"no answer to {method}"
                self._rest += os.read(self._answers, 1 << 16)
            text, _, self._rest = self._rest.partition(b"\0")
            answer = json.loads(text)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A browser with one page, whose profile is in a folder; it ends with the block."""
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    # the protocol's descriptors are 3 and 4
    script = f'exec "$@" 3<&{in_read} 4>&{out_write}'
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"]
    command = [chromium(), *flags, "--no-proxy-server", f"--user-data-dir={folder}", "--window-size=1200,800"]
    process = subprocess.Popen(
        ["bash", "-c", script, "bash", *command],
        pass_fds=(in_read, out_write),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Page(in_write, out_read)
    finally:
        process.kill()
        process.wait()
        for descriptor in (in_read, in_write, out_read, out_write):
            os.close(descriptor)
