"""Spark beside DuckDB: the CPU time of builds and exports, what is shuffled, and memory. Writes a table to spark.md.

Usage: python -m benchmarks.spark [--texts N] [--more N]. Workers are processes on this machine, with one core each.
"""

import argparse
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bench import machine
from benchmarks.data import COLUMNS, rows
from benchmarks.measure import Cost
from benchmarks.parts import dbt, duckdb_file, export, module
from benchmarks.spark_build import MEMORY
from tests import spark
from tests.build import make_project
from tests.servers import ROOT
from tests.spark_cluster import events

SHARDS = (
    "1/10",
    "2/10",
    "1000/1000",
)  # the first has also the files that are not split by probe, the last has no probes or few
HEAD = "what|CPU s|CPU s per 1,000 texts|wall s|largest process|driver's heap|shuffled|files|tasks that mark"


@dataclass(frozen=True)
class Case:
    texts: int
    probes: int
    workers: int  # 0: DuckDB
    lopsided: bool = False  # half of the texts are of one probe

    def __str__(self) -> str:
        where = f"Spark, {self.workers} worker{'s'[: self.workers - 1]}" if self.workers else "DuckDB, 2 threads"
        half = ", half of them of one" if self.lopsided else ""
        return f"{where}: {self.texts:,} texts, {self.probes:,} probes{half}"


def cases(texts: int, more: int) -> list[Case]:
    few = 50
    return [
        Case(texts, few, 0),
        Case(texts, few, 1),
        Case(texts, few, 2),
        Case(texts, few, 2, lopsided=True),
        Case(texts, texts // 2, 0),
        Case(texts, texts // 2, 2),
        Case(more, few, 0),
        Case(more, few, 2),
    ]


def measured(case: Case, folder: Path) -> Iterator[str]:
    """The lines of a build, and of exports of some of its probes."""
    make_project(folder, coding=True)
    write_source(case, folder / "source")
    environment = spark.environment(folder) if case.workers else duckdb_file(folder)
    if case.workers:
        cost = module(folder, "benchmarks.spark_build", case.workers)
        yield line(f"{case}: build", cost, per_thousand(cost, case), *of_events(folder / "cluster"))
    else:
        with duckdb.connect(str(folder / "probesheets.duckdb")) as connection:
            connection.execute(f"create table table_output as from read_parquet('{folder / 'source'}/*.parquet')")
        cost = dbt("build", "duckdb", folder, environment)
        yield line(f"{case}: build", cost, per_thousand(cost, case))
    target = "spark" if case.workers else "duckdb"
    for shard in SHARDS:
        out = folder / shard.replace("/", "-")
        cost = export(folder, out, target, environment, "--shard", shard)
        files = [*out.glob("**/*.xlsx")]
        size = sum(file.stat().st_size for file in files) / 1e6
        yield line(f"{case}: shard {shard}, {len(files):,} workbooks of {size:,.1f} MB", cost)


def per_thousand(cost: Cost, case: Case) -> str:
    return f"{1000 * cost.cpu / case.texts:.3f}"


def write_source(case: Case, folder: Path) -> None:
    folder.mkdir()
    for number, some in enumerate(rows(case.texts, case.probes)):
        batch = pa.table(list(map(pa.array, zip(*some, strict=True))), names=list(COLUMNS))
        if case.lopsided:
            of_one = "case when id // 8 % 2 = 0 then 'The one prompt' else probe end as probe"
            batch = duckdb.sql(f"select * replace ({of_one}) from batch").to_arrow_table()
        pq.write_table(batch, folder / f"{number}.parquet")


def of_events(folder: Path) -> list[str]:
    """The driver's heap, what was shuffled, the files that were written, and the tasks of the stage that marks."""
    tasks = [event for event in events(folder, "SparkListenerTaskEnd") if event.get("Task Metrics")]
    shuffled = sum(task["Task Metrics"]["Shuffle Write Metrics"]["Shuffle Bytes Written"] for task in tasks)
    stages: dict[int, list[float]] = defaultdict(list)
    for task in tasks:
        stages[task["Stage ID"]].append(task["Task Metrics"]["Executor Run Time"] / 1000)
    marking = max(stages.values(), key=sum)
    heaps = [
        event["Executor Metrics"]["JVMHeapMemory"]
        for event in events(folder, "SparkListenerStageExecutorMetrics")
        if event["Executor ID"] == "driver"
    ]
    files = len([*(folder.parent / "spark" / f"{spark.SCHEMA}.db").glob("*/*.parquet")])
    said = f"{len(marking)}, of {median(marking):.1f} s, at most {max(marking):.1f} s"
    return [f"{max(heaps) / 2**20:,.0f} MB", f"{shuffled / 2**20:,.1f} MB", f"{files}", said]


def line(what: str, cost: Cost, *more: str) -> str:
    per_thousand, *others = [*more, *[""] * (5 - len(more))]
    cells = [what, f"{cost.cpu:.1f}", per_thousand, f"{cost.seconds:.0f}", f"{cost.megabytes:,.0f} MB", *others]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.spark", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--texts", type=int, default=100_000, help="texts of most cases (100,000)")
    parser.add_argument("--more", type=int, default=1_000_000, help="texts of the large cases (1,000,000)")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("spark.md"), help="the file to write")
    given = parser.parse_args()
    begin, load = datetime.now(UTC), os.getloadavg()[0]
    (ROOT / "target").mkdir(exist_ok=True)
    lines = [f"| {HEAD.replace('|', ' | ')} |", "|---" * 9 + "|"]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "target", ignore_cleanup_errors=True) as name:
        for number, case in enumerate(cases(given.texts, given.more)):
            for said in measured(case, Path(name) / str(number)):
                lines.append(said)
                print(said, flush=True)
    taken = (datetime.now(UTC) - begin).total_seconds()
    notes = [
        "# Measured by `make bench-spark`",
        f"{begin:%Y-%m-%d}, {taken:.0f} s in all, on {machine()}. Load average before {load:.1f}, after it "
        f"{os.getloadavg()[0]:.1f}: other work slows the wall clock, and the CPU time less.",
        f"A build is all models and their tests. A worker has one core; the driver and each worker have {MEMORY}. CPU "
        "time is of all processes. Shard 1 also has the files that are not split by probe.",
    ]
    given.out.write_text("\n\n".join([*notes, "\n".join(lines)]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
