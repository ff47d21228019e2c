"""A command in a process of its own: how long it took, and the most memory that it had."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.build import own_environment

# a small process between this one and the command: a command's peak is never below that of the one that starts it.
# On Linux, it inherits the processes that the command leaves, such as the JVM of Spark: 36 is PR_SET_CHILD_SUBREAPER
_BETWEEN = """
import contextlib, ctypes, json, os, resource, subprocess, sys, time
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
begin = time.perf_counter()
process = subprocess.Popen(sys.argv[2:])
status = os.waitpid(process.pid, 0)[1]
seconds = time.perf_counter() - begin
with contextlib.suppress(ChildProcessError):
    while True:
        os.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cost = seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
os.write(int(sys.argv[1]), json.dumps([os.waitstatus_to_exitcode(status), *cost]).encode())
"""


@dataclass(frozen=True)
class Cost:
    seconds: float  # of the wall clock
    cpu: float  # of all its processes
    megabytes: float  # the peak of the resident memory of its largest process


def measure(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command in a folder. Raises RuntimeError, with the end of what it said, if it fails."""
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as output, os.fdopen(reading) as answer:
        subprocess.run(
            [sys.executable, "-S", "-c", _BETWEEN, str(writing), *map(str, command)],
            cwd=folder, env=own_environment(environment or {}, folder), stdout=output, stderr=output,
            pass_fds=[writing],
        )  # fmt: skip
        os.close(writing)
        status, *cost = json.load(answer)
        if status:
            output.seek(0)
            raise RuntimeError(f"{command} failed:\n{output.read().decode(errors='replace')[-3000:]}")
    return Cost(*cost)


def best(times: int, run: Callable[[], Cost]) -> Cost:
    """The fastest of several runs, with the most memory that any of them had."""
    costs = [run() for _ in range(times)]
    fastest = min(costs, key=lambda cost: cost.seconds)
    return Cost(fastest.seconds, fastest.cpu, max(cost.megabytes for cost in costs))
