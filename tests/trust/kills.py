"""SIGKILL at random moments of random commands in one project, and what must hold after each.

The source comes in variants: every text of a variant ends in its number, and so does a link in it. So a mixture of two
builds shows in the workbooks themselves, whatever the database says.
"""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.build import Build, Source, command, own_environment, run
from tests.exports import contents, sheet

VARIANTS = range(1, 5)
COLUMNS = ("id", "experiment_id", "root_id", "tag", "depth", "probe", "content")
TEXT_ID = 2  # a text of the sample, which is repeated where the source grows
# files of others: beside the folders, in them, and what only looks like ours
GUARDS = {
    "guard.txt": b"beside",
    "out/notes.txt": b"in the folder",
    "out/with_links/coded.xlsx": b"among the workbooks",
    "out/.probesheets-mine/letter.txt": b"no staging folder",
    "batches/.probesheets-0123/letter.txt": b"nor this one",
    "batches/links.csv": b"mine",
}
FOREIGN = "was not written by an export."


def variant(rows: Sequence[Mapping[str, Any]], number: int, more: int = 0) -> list[Mapping[str, Any]]:
    """The rows of a source, each text marked, and some texts more."""
    marked = [
        {**row, "content": f"{row['content']} v{number} http://v{number}.example.com"}
        if row["tag"] == "trimmed" and (row["content"] or "").strip()
        else row
        for row in rows
    ]
    model = next(row for row in marked if row["id"] == TEXT_ID)
    return [*marked, *({**model, "id": 30_000 + at} for at in range(more))]


def write_parquet(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    texts = {name: [None if row[name] is None else str(row[name]) for row in rows] for name in COLUMNS}
    pq.write_table(pa.table({name: pa.array(values, pa.string()) for name, values in texts.items()}), file)


@dataclass
class Victim:
    """A project in which commands are killed. A server has the variants as tables v.v1, v.v2, …"""

    build: Build
    source: Source
    random: random.Random
    turns: int = 0  # at each, the source has another variant, and grows
    seconds: dict[str, float] = field(default_factory=dict)  # how long each command takes when nobody kills it
    outcomes: dict[str, int] = field(default_factory=dict)

    def commands(self) -> dict[str, list[str]]:
        """What may be killed next; the source has changed by then."""
        self.turns += 1
        number, target = self.random.choice(VARIANTS), ["--target", self.build.target]
        if self.build.server:
            source = []
            table = self.build.environment["PROBESHEETS_SOURCE_SCHEMA"] + ".table_output"
            others = "experiment_id, root_id, tag, depth, probe, content"
            for statement in (
                f"create or replace table {table} as select * from v.v{number}",
                f"insert into {table} (id, {others}) select 30000 + seq, {others} from v.v{number}, "
                f"v.seq_1_to_{self.turns} where id = {TEXT_ID}",
            ):
                self.build.server.root.execute(statement)
        else:
            source = ["--source", "source.parquet", "--experiments", "table_experiment.parquet"]
            write_parquet(self.build.folder / source[1], variant(self.source.outputs, number, self.turns))
        probesheets = str(command(self.build.target, "probesheets"))
        dbt = str(command(self.build.target, "dbt"))
        return {
            "run": [probesheets, "run", *target, *source],
            "run --new": [probesheets, "run", *target, *source, "--new", "--out", "batches"],
            "export": [probesheets, "export", *target],
            "export --new": [probesheets, "export", *target, "--new", "--out", "batches"],
            "dbt build": [dbt, "build", *target, "--profiles-dir", "."],
        }

    def prepare(self) -> None:
        """Run every command once, to its end, in a project with files of others."""
        for name, data in GUARDS.items():
            file = self.build.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        for name, arguments in self.commands().items():
            begun = time.monotonic()
            result = run(arguments, self.build.folder, self.build.environment)
            assert result.returncode == 0, f"{name}: {result.stdout}{result.stderr}"
            self.seconds[name] = time.monotonic() - begun

    def kill_one(self) -> str:
        """Kill a random command at a random moment, alone or with its children; returns what was killed, and how."""
        name, arguments = self.random.choice(sorted(self.commands().items()))
        process = subprocess.Popen(
            arguments,
            cwd=self.build.folder,
            env=own_environment(self.build.environment, self.build.folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        moment = self.random.uniform(0, 1.1 * self.seconds[name])
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        children = list(_children(process.pid))
        whom = self.random.choice([[process.pid], [*children, process.pid], children or [process.pid]])
        for process_id in whom:
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 30
        while any(Path(f"/proc/{child}").exists() for child in children):
            assert time.monotonic() < deadline, f"{name}: dbt goes on without its parent"
            time.sleep(0.01)
        return f"{name} after {moment:.2f} s, {len(whom)} of {1 + len(children)} processes"

    def check(self, killed: str) -> None:
        """The guards are intact, the folders are whole, and the advised command helps."""
        self._check_guards(killed)
        first = self._probesheets("export")
        if first.returncode:
            advised = (first.stderr.partition(" Run: ")[2].splitlines() or [""])[0]
            self.outcomes["refused"] = self.outcomes.get("refused", 0) + 1
            assert first.returncode == 1 and "Traceback" not in first.stderr, f"{killed}: {first.stderr}"
            assert advised, f"{killed}: advises nothing: {first.stderr}"
            name, *arguments = advised.split()
            result = run([str(command(self.build.target, name)), *arguments], self.build.folder, self.build.environment)
            assert result.returncode == 0, f"{killed}: {advised}: {result.stdout}{result.stderr}"
            again = self._probesheets("export")
            assert again.returncode == 0, f"{killed}: {again.stderr}"
        else:
            self.outcomes["exported"] = self.outcomes.get("exported", 0) + 1
        self._verify("out", killed, "--target", self.build.target)
        self._check_one_variant(killed)
        batch = self._probesheets("export", "--new", "--out", "batches")
        assert batch.returncode == 0, f"{killed}: {batch.stderr}"
        self._verify("batches", killed)
        self._check_nothing_twice(killed)
        self._check_guards(killed)

    def _probesheets(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        target = [] if arguments[0] == "verify" else ["--target", self.build.target]
        probesheets = [str(command(self.build.target, "probesheets")), *arguments, *target]
        return run(probesheets, self.build.folder, self.build.environment)

    def _check_guards(self, killed: str) -> None:
        for name, data in GUARDS.items():
            assert (self.build.folder / name).read_bytes() == data, f"{killed}: {name} has changed"

    def _verify(self, folder: str, killed: str, *arguments: str) -> None:
        result = self._probesheets("verify", folder, "--json", *arguments)
        assert result.stdout, f"{killed}: {result.stderr}"
        differences = json.loads(result.stdout)["differences"]
        assert [line for line in differences if not line.endswith(FOREIGN)] == [], f"{killed}: {folder}"

    def _check_one_variant(self, killed: str) -> None:
        out = self.build.folder / "out"
        ours = [out / name for name in contents(out) if name.endswith(".xlsx") and f"out/{name}" not in GUARDS]
        found = set[str]()
        for file in (file for file in ours if file.parent.name in ("with_links", "without_links")):
            found |= {str(row[1]).split(" http://v")[0].rpartition(" ")[2] for row in sheet(file)[1:] if row[1]}
        found = {mark for mark in found if mark in {f"v{number}" for number in VARIANTS}}
        hosts = {str(row[2])[:2] for row in sheet(out / "links.xlsx")[1:] if str(row[2]).endswith(".example.com")}
        assert len(found) == 1 and hosts & {f"v{number}" for number in VARIANTS} == found, f"{killed}: {found}, {hosts}"

    def _check_nothing_twice(self, killed: str) -> None:
        for kind in ("with_links", "without_links"):
            files = (self.build.folder / "batches" / kind).glob("*.xlsx")
            records = [row[0] for file in files for row in sheet(file)[1:]]
            assert len(records) == len(set(records)), f"{killed}: {kind} holds a record twice"


def _children(process_id: int) -> Iterator[int]:
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = file.read_text().partition(") ")
            if rest.split()[1] == str(process_id):
                yield int(name.split()[0])
