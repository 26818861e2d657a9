"""Two workers serve a prompt, and a rollback in a third process reaches both of them without a restart.

python examples/production/demo.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from prompt_manager import Prompt, PromptManager
from prompt_manager.storage import FileSystemStorage

APP = Path(__file__).with_name("app.py")


class Worker:
    """A process of the application."""

    def __init__(self, name: str, prompts: str) -> None:
        self.name = name
        command = [sys.executable, str(APP), prompts]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
        self.port = int(self._line())

    def _line(self) -> str:
        if self.process.stdout is None:
            raise RuntimeError("the worker has no output")
        return self.process.stdout.readline().rstrip("\n")

    def ask(self) -> tuple[str, str]:
        """Send a request. Return the answer, and the trace that the worker printed."""
        with urlopen(f"http://127.0.0.1:{self.port}/?name=Ada", timeout=30) as response:
            return json.load(response)["prompt"], self._line()

    def show(self) -> None:
        """Print both."""
        answer, trace = self.ask()
        print(f"{self.name} answers {answer!r}, and its trace is {trace!r}")

    def wait_for(self, answer: str) -> None:
        """Ask until this is the answer, for half a minute at most. It takes about a second."""
        deadline = time.monotonic() + 30
        while self.ask()[0] != answer:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} still answers something else")
            time.sleep(0.05)


def main() -> None:
    with TemporaryDirectory() as prompts:
        manager = PromptManager.from_storage_sync(FileSystemStorage(prompts))
        good = manager.create_prompt_sync(Prompt(id="greeting", template="Hello {{name}}.", status="active"))
        manager.set_label_sync("greeting", "production", good.version)
        bad = manager.update_prompt_sync(good, template="HELLO {{name}}!!!")
        manager.set_label_sync("greeting", "production", bad.version, author="Bo")

        workers = [Worker(f"worker {number}", prompts) for number in (1, 2)]
        try:
            for worker in workers:
                worker.show()
            # Nobody restarts the workers: each looks at the storage at its first render a second later.
            move = manager.rollback_sync("greeting", "production", author="Ada")
            print(f"rollback from {move.previous} to {move.version}")
            for worker in workers:
                worker.wait_for("Hello Ada.")
                worker.show()
        finally:
            for worker in workers:
                worker.process.kill()
                worker.process.communicate()


if __name__ == "__main__":
    main()
