"""Exports in processes of their own, which can be stopped at any moment, and what to compare their folders with."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.build import Build, Source
from tests.conftest import Builder
from tests.exporter.command import probesheets
from tests.servers import mysql_environment

CHILD = Path(__file__).with_name("child.py")
OLD, NEW = {"SOURCE_DATE_EPOCH": "1600000000"}, {"SOURCE_DATE_EPOCH": "1700000000"}


class Child:
    """`probesheets ARGUMENTS` in a process that has imported everything and waits for `go`."""

    def __init__(self, build: Build, environment: Mapping[str, str], *arguments: str) -> None:
        python = sys.executable if build.target == "duckdb" else str(mysql_environment() / "bin" / "python")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PROBESHEETS_", "DBT_"))}
        self.process = subprocess.Popen(
            [python, str(CHILD), *arguments],
            cwd=build.folder,
            env=clean | dict(build.environment) | dict(environment),
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


def send_when(process: subprocess.Popen[str], moment: Callable[[], bool], signal: int, seconds: float = 60) -> None:
    """Send a signal to a process at a moment that comes while it works."""
    deadline = time.monotonic() + seconds
    while not moment():
        assert process.poll() is None, "It ended before the moment came."
        assert time.monotonic() < deadline, "The moment did not come."
        time.sleep(0.001)
    process.send_signal(signal)


Starter = Callable[..., Child]


@pytest.fixture
def start() -> Iterator[Starter]:
    """start(build, environment, *arguments): a Child; those that still run at the end of the test are killed."""
    children: list[Child] = []

    def new(build: Build, environment: Mapping[str, str], *arguments: str) -> Child:
        children.append(Child(build, environment, *arguments))
        return children[-1]

    yield new
    for child in children:
        with suppress(OSError):
            child.process.kill()
        child.process.communicate()


@pytest.fixture(scope="session")
def built_sample(built: Builder, sample: Source) -> Build:
    return built("duckdb", sample)


@dataclass(frozen=True)
class Exports:
    """The sample's models exported twice, as files by name: the same data, but no workbook has the same bytes."""

    old: dict[str, bytes]
    new: dict[str, bytes]


@pytest.fixture(scope="session")
def exports(built_sample: Build, tmp_path_factory: pytest.TempPathFactory) -> Exports:
    folders = []
    for environment in (OLD, NEW):
        folder = tmp_path_factory.mktemp("export") / "out"
        result = export(built_sample, environment, folder)
        assert result == (0, result[1])
        folders.append(contents(folder))
    assert all(folders[0][name] != folders[1][name] for name in folders[0] if name.endswith(".xlsx"))
    return Exports(*folders)


def export(build: Build, environment: Mapping[str, str], folder: Path, *arguments: str) -> tuple[int, str]:
    """Export in this process; its exit code and what it said."""
    result = probesheets(build.folder, {**build.environment, **environment}, "export", "--out", str(folder), *arguments)
    return result.code, result.err


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder by relative path, but for those that are no spreadsheets and begin with .probesheets."""
    names = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in names.items() if not name.startswith(".probesheets")}


def everything(place: Path) -> dict[str, bytes | str | None]:
    """All that a folder holds: the bytes of files, where links lead to, and None for folders; not the empty lock."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(place.rglob("*")):
        if path.name != ".probesheets.lock" or path.is_symlink() or path.stat().st_size:
            data = path.read_bytes() if path.is_file() else None
            found[str(path.relative_to(place))] = str(path.readlink()) if path.is_symlink() else data
    return found


def fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


FOREIGN = {"notes.txt": b"mine", "with_links/coded.xlsx": b"mine, too"}
# a probe that is no more, so that an export has something to remove
GONE = {"path": "with_links/gone-12345678.xlsx", "kind": "with_links", "probe": "gone", "group": "gone-12345678",
        "batch": 1, "part": 1, "columns": ["Record ID"], "rows": 0, "records": 0,
        "sha256": hashlib.sha256(b"old").hexdigest()}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, exports: Exports) -> Path:
    """An older export, with a workbook too many, among somebody's files."""
    told = json.loads(exports.old["manifest.json"])
    told["files"].append(GONE)
    fill(tmp_path / "out", {**exports.old, **FOREIGN, str(GONE["path"]): b"old", "manifest.json": as_json(told)})
    return tmp_path / "out"


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()
