"""Commands in processes of their own, which a test can stop or kill at any moment."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.build import Build, own_environment
from tests.servers import mysql_environment

CHILD = Path(__file__).with_name("child.py")


class Child:
    """`probesheets ARGUMENTS` in a process that has imported everything and waits for `go`."""

    def __init__(self, build: Build, environment: Mapping[str, str], *arguments: str) -> None:
        python = sys.executable if build.target == "duckdb" else str(mysql_environment() / "bin" / "python")
        self.process = subprocess.Popen(
            [python, str(CHILD), *arguments],
            cwd=build.folder,
            env=own_environment({**build.environment, **environment}, build.folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n", self.process.communicate()[1]

    def go(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self, seconds: float = 120) -> tuple[int, str]:
        """Its exit code (negative: the signal that killed it) and what it said on stderr."""
        _, said = self.process.communicate(timeout=seconds)
        return self.process.returncode, said


def send_when(process: subprocess.Popen[str], moment: Callable[[], bool], signal: int, seconds: float = 240) -> None:
    """Send a signal to a process at a moment that comes while it works."""
    deadline = time.monotonic() + seconds
    while not moment():
        assert process.poll() is None, "It ended before the moment came."
        assert time.monotonic() < deadline, "The moment did not come."
        time.sleep(0.001)
    process.send_signal(signal)


Starter = Callable[..., Child]
