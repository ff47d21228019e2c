"""A cluster of Spark on this machine: a master and workers, processes on free loopback ports, gone afterwards."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import spark

SECONDS_TO_START = 90
_STARTED = re.compile(r"Starting Spark master at (spark://[^\s]+)\n")
_TASK = re.compile(r"(Running|Finished) task .*\(TID (\d+)\)")


@dataclass
class Process:
    """A daemon with the processes that it starts; a worker has an executor for each application."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def running(self) -> set[str]:
        """The tasks that the executor of the newest application has begun and not ended, by its log."""
        newest = max(self.folder.glob("app-*"), default=self.folder)
        said = [file.read_text(encoding="utf-8", errors="replace") for file in newest.glob("*/stderr")]
        tasks: dict[str, set[str]] = {"Running": set(), "Finished": set()}
        for what, task in _TASK.findall("".join(said)):
            tasks[what].add(task)
        return tasks["Running"] - tasks["Finished"]

    def kill(self) -> None:
        kill_group(self.process)


@dataclass
class Cluster:
    """`environment` is for a build whose driver is dbt's own process."""

    environment: dict[str, str]
    workers: list[Process] = field(default_factory=list)


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    """The events of one kind that the drivers of a cluster have written into its folder, the oldest first."""
    files = sorted((folder / "events").rglob("events_*"), key=lambda file: file.stat().st_mtime)
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [json.loads(line) for line in lines if line.startswith(f'{{"Event":"{kind}"')]


@contextmanager
def cluster(
    folder: Path,
    workers: int,
    settings: Mapping[str, object],
    *,
    memory: str = "1g",
    java_options: str = spark.JAVA_OPTIONS,
) -> Iterator[Cluster]:
    """Workers with one core and `memory` each. `settings` are Spark's, for the drivers."""
    (folder / "events").mkdir(parents=True)
    all_settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": (folder / "events").as_uri(),
        **settings,
    }
    lines = [f"{name} {value}\n" for name, value in all_settings.items()]
    (folder / "spark-defaults.conf").write_text("".join(lines), encoding="utf-8")
    environment = {"SPARK_CONF_DIR": str(folder), "SPARK_LOCAL_IP": "127.0.0.1", "JAVA_TOOL_OPTIONS": java_options}
    with ExitStack() as stack:
        master = _start(stack, folder / "master", "master.Master", environment, "--port", "0")
        until(lambda: bool(_STARTED.search(master.log)), master.process)
        url = _STARTED.findall(master.log)[0]
        of_drivers = {"PROBESHEETS_SPARK_MASTER": url, "PROBESHEETS_MEMORY": f"{memory.upper()}B"}
        made = Cluster(environment | of_drivers)
        for number in range(1, workers + 1):
            place = folder / f"worker{number}"
            options = ["--cores", "1", "--memory", memory, "--work-dir", str(place), url]
            made.workers.append(_start(stack, place, "worker.Worker", environment, *options))
        for worker in made.workers:
            until(lambda worker=worker: "Successfully registered" in worker.log, worker.process)  # type: ignore[misc]
        yield made


def _start(stack: ExitStack, folder: Path, kind: str, environment: Mapping[str, str], *options: str) -> Process:
    (program,) = spark.spark_environment().glob("lib/python*/site-packages/pyspark/bin/spark-class")
    command = [str(program), f"org.apache.spark.deploy.{kind}", "--host", "127.0.0.1", "--webui-port", "0", *options]
    folder.mkdir()
    with (folder / "log").open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | environment, stdout=output, stderr=output, start_new_session=True
        )
    stack.callback(kill_group, process)
    return Process(folder, process)


def kill_group(process: subprocess.Popen[Any]) -> None:
    """SIGKILL to a process that leads a session, and to all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(moment: Callable[[], bool], process: subprocess.Popen[Any], seconds: float = SECONDS_TO_START) -> None:
    """Wait for a moment that comes while a process runs."""
    deadline = time.monotonic() + seconds
    while not moment():
        assert process.poll() is None, "It ended before the moment came."
        assert time.monotonic() < deadline, "The moment did not come."
        time.sleep(0.01)
