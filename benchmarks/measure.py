"""A command in a process of its own: how long it took, and the most memory that it had."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    seconds: float  # of the wall clock
    cpu: float
    megabytes: float  # the peak of its resident memory


def measure(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command in a folder. Raises RuntimeError, with the end of what it said, if it fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PROBESHEETS_", "DBT_"))}
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)), cwd=folder, env=inherited | dict(environment or {}), stdout=output, stderr=output
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"{command} failed:\n{output.read().decode(errors='replace')[-3000:]}")
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def best(times: int, run: Callable[[], Cost]) -> Cost:
    """The fastest of several runs, with the most memory that any of them had."""
    costs = [run() for _ in range(times)]
    fastest = min(costs, key=lambda cost: cost.seconds)
    return Cost(fastest.seconds, fastest.cpu, max(cost.megabytes for cost in costs))
