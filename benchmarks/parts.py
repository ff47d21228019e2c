"""The parts of the benchmark: each yields the lines of the table that it has measured."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from benchmarks.data import COLUMNS
from benchmarks.files import COPY, THEIRS, write_answers, write_csv
from benchmarks.measure import Cost, best, measure
from benchmarks.peers import PEERS
from tests.build import command, make_project
from tests.servers import ROOT, Server, SqlError, find_mariadb, find_mysql, mariadb, mysql, mysql_environment

# the first view, a self-join: combined_v1 gives the same rows
VIEW = """
select distinct t_1.root_id, t_1.experiment_id, t_1.probe as 'probe', DATE_FORMAT(t_1.content, "%M, %Y") as 'date',
t_2.content as 'text' from table_output as t_1 inner join table_output as t_2
on t_1.root_id = t_2.root_id and t_1.tag = 'date' and t_2.tag = 'trimmed'
"""
SERVERS = {"mariadb": (find_mariadb, mariadb), "mysql": (find_mysql, mysql)}
BOTH_KINDS = ("--only", "with_links", "--only", "without_links")
NEEDS = {"DuckDB COPY loop": "duckdb_extension_excel", "rustpy-xlsxwriter": "rustpy_xlsxwriter"}
NEEDS |= {"XlsxWriter constant_memory": "xlsxwriter", "pandas script": "pandas"}


@dataclass(frozen=True)
class Line:
    """One line of the table: what was measured, and beside what."""

    what: str
    ours: str
    peer: str = ""
    theirs: str = ""
    ratio: str = ""
    wanted: str = ""


def seconds(cost: Cost) -> str:
    return f"{cost.seconds:.2f} s"


def beside(what: str, ours: Cost, peer: str, theirs: Cost, wanted: str = "") -> Line:
    """A peer's time as a multiple of ours, or ours of theirs where it is to stay under something."""
    if wanted.startswith("at most"):
        ratio = f"takes {ours.seconds / theirs.seconds:.1f} times as long"
    else:
        ratio = f"{theirs.seconds / ours.seconds:.1f} times as fast"
    return Line(what, seconds(ours), peer, seconds(theirs), ratio, wanted)


# --- projects on DuckDB


class Bench:
    """The sizes, and the projects that have been built, each in a folder below `folder`."""

    def __init__(self, folder: Path, sizes: dict[str, int]) -> None:
        self.folder, self.sizes = folder, sizes
        self.built = cache(self._built)

    def project(self, name: str) -> Path:
        folder = self.folder / name
        make_project(folder, coding=True)
        return folder

    def _built(self, texts: int, probes: int) -> tuple[Path, Cost]:
        """A project that has been built on DuckDB, and the cost of dbt build."""
        folder = self.project(f"{texts}-{probes}")
        module(self.folder, "benchmarks.data", texts, probes, folder / "probesheets.duckdb")
        return folder, dbt("build", "duckdb", folder, duckdb_file(folder))

    def scratch(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))


def duckdb_file(folder: Path) -> dict[str, str]:
    return {"PROBESHEETS_DUCKDB": str(folder / "probesheets.duckdb")}


def module(folder: Path, name: str, *arguments: object) -> Cost:
    """Run a module of this folder in a process of its own."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return measure([sys.executable, "-m", name, *map(str, arguments)], folder, {"PYTHONPATH": path})


def dbt(verb: str, target: str, folder: Path, environment: dict[str, str]) -> Cost:
    options = ["--target", target, "--target-path", f"target/{target}", "--profiles-dir", str(folder)]
    if target == "duckdb" and verb == "build":
        options += ["--exclude-resource-type", "unit_test"]
    return measure([str(command(target, "dbt")), "--quiet", verb, *options], folder, environment)


def export(
    folder: Path, out: Path, target: str = "duckdb", environment: dict[str, str] | None = None, *options: str
) -> Cost:
    arguments = ["export", "--target", target, *BOTH_KINDS, "--out", str(out), *options]
    return measure([str(command(target, "probesheets")), *arguments], folder, environment or duckdb_file(folder))


def peer(bench: Bench, name: str, folder: Path) -> Cost:
    return module(bench.folder, "benchmarks.peers", name, folder / "probesheets.duckdb", bench.scratch())


def is_there(name: str) -> bool:
    return name not in NEEDS or find_spec(NEEDS[name]) is not None


# --- the parts


def starting(bench: Bench) -> Iterator[Line]:
    folder = bench.project("sample")
    probesheets, environment = command("duckdb", "probesheets"), duckdb_file(folder)
    yield Line(
        "`probesheets --help`", seconds(best(5, lambda: measure([probesheets, "--help"], folder))), wanted="under 0.5 s"
    )
    whole = best(2, lambda: measure([probesheets, "run", "--out", bench.scratch()], folder, environment))
    alone = best(2, lambda: dbt("build", "duckdb", folder, environment))
    added = f"{whole.seconds - alone.seconds:.2f} s more"
    yield Line(
        "`probesheets run`, the sample", seconds(whole), "dbt build alone", seconds(alone), added, "under 3 s more"
    )
    first = best(3, lambda: measure([sys.executable, Path(__file__).with_name("first_row.py")], folder, environment))
    yield Line("first rows of an export, the sample", seconds(first), wanted="under 2 s")


def copying(bench: Bench) -> Iterator[Line]:
    rows = bench.sizes["csv-rows"]
    file = write_csv(bench.folder / "source.csv", rows, 200)
    ours, theirs = (
        best(3, lambda: measure([sys.executable, "-c", script, file], bench.folder, {"PYTHONPATH": str(ROOT)}))  # noqa: B023
        for script in (COPY, THEIRS)
    )
    yield beside(f"copying a CSV file of {rows:,} rows", ours, "DuckDB's read_csv", theirs, "at most 3")
    file.unlink()


def copying_answers(bench: Bench) -> Iterator[Line]:
    rows = bench.sizes["answers"]
    for file in write_answers(bench.folder, rows, 1_000):
        ours, theirs = (
            best(3, lambda: measure([sys.executable, "-c", script, file], bench.folder, {"PYTHONPATH": str(ROOT)}))  # noqa: B023
            for script in (COPY, THEIRS)
        )
        what = f"copying {rows:,} answers from {file.suffix}"
        yield beside(what, ours, "DuckDB's create table", theirs, "at most 1.5")
        yield Line(what, megabytes(ours), "DuckDB's create table", megabytes(theirs), "", "under 1,500 MB")
        file.unlink()


def exporting(bench: Bench) -> Iterator[Line]:
    texts = bench.sizes["texts"]
    folder, _ = bench.built(texts, 50)
    what = f"export of {texts:,} texts, 50 probes, both kinds"
    ours = best(3, lambda: export(folder, bench.scratch()))
    wanted = {"pandas script": "10 times", "DuckDB COPY loop": "twice", "floor": "at most 2"}
    for name in PEERS:
        if is_there(name):
            runs = 3 if name in ("floor", "rustpy-xlsxwriter") else 1
            theirs = best(runs, lambda name=name: peer(bench, name, folder))  # type: ignore[misc]
            yield beside(what, ours, name, theirs, wanted.get(name, ""))


def many_files(bench: Bench) -> Iterator[Line]:
    probes = bench.sizes["many-probes"]
    many, few = bench.built(20 * probes, probes)[0], bench.built(20 * probes, 50)[0]
    ours = best(2, lambda: export(many, bench.scratch()))
    what = f"export of {20 * probes:,} texts, {probes:,} probes, both kinds"
    yield beside(what, ours, "ours, 50 probes", best(2, lambda: export(few, bench.scratch())), "at most 4")
    yield beside(what, ours, "pandas script", peer(bench, "pandas script", many), "15 times")


def memory(bench: Bench) -> Iterator[Line]:
    texts, files = bench.sizes["big-texts"], bench.sizes["files-texts"]
    small, many, folder = bench.built(texts // 10, 8), bench.built(files, files // 50), bench.built(texts, 8)
    tenth = f"{texts // 10:,} texts"
    yield Line(
        f"dbt build of {4 * texts:,} rows on DuckDB",
        megabytes(folder[1]),
        tenth,
        megabytes(small[1]),
        wanted="under 4,000 MB",
    )
    ratio = f"takes {folder[1].seconds / small[1].seconds:.1f} times as long"
    yield Line(f"dbt build of {4 * texts:,} rows on DuckDB", seconds(folder[1]), tenth, seconds(small[1]), ratio)
    few = export(small[0], bench.scratch())
    yield Line(
        f"export of {texts:,} texts in 8 workbooks, both kinds",
        megabytes(export(folder[0], bench.scratch())),
        tenth,
        megabytes(few),
        wanted="under 1,500 MB",
    )
    cost = export(many[0], bench.scratch())
    yield Line(
        f"export of {files:,} texts in {files // 50:,} workbooks, both kinds", megabytes(cost), wanted="under 400 MB"
    )


def megabytes(cost: Cost) -> str:
    return f"{cost.megabytes:,.0f} MB"


def servers(bench: Bench) -> Iterator[Line]:
    for kind, (find, start) in SERVERS.items():
        if not find() or not (mysql_environment() / "bin" / "dbt").exists():
            yield Line(f"{kind}: not installed here", "")
            continue
        # its own, since a MariaDB server that starts removes the temporary tables of others in the same folder
        with start(f"--tmpdir={bench.scratch()}") as server:
            yield from _server(bench, kind, server)


def _server(bench: Bench, kind: str, server: Server) -> Iterator[Line]:
    rows, limit = bench.sizes["rows"], bench.sizes["view-seconds"]
    builds, exports = {}, {}
    for size in (rows // 10, rows):
        names = f"source_{size}", f"target_{size}"
        server.create_schemas(*names)
        load(bench, server, names[0], size)
        folder, environment = bench.project(f"{kind}-{size}"), server.environment(*names)
        cost = dbt("build", kind, folder, environment)
        ran = json.loads((folder / "target" / kind / "run_results.json").read_text(encoding="utf-8"))
        builds[size] = cost, Cost(float(ran["elapsed_time"]), 0, 0)
        exports[size] = export(folder, bench.scratch(), kind, environment)
    yield compare_views(server, f"source_{rows}", f"target_{rows}", rows, limit)
    what = f"all models and their tests, {rows:,} rows, {kind}"
    (whole, models), (_, tenth) = builds[rows], builds[rows // 10]
    yield Line(what, seconds(whole), wanted="under 30 s")
    yield beside(f"{what}, without dbt's start", models, f"{rows // 10:,} rows", tenth, "at most 11")
    what = f"export of {rows // 4:,} texts, 50 probes, from {kind}"
    yield Line(what, megabytes(exports[rows]), f"{rows // 40:,} texts", megabytes(exports[rows // 10]), wanted="flat")
    yield Line(what, seconds(exports[rows]))


def load(bench: Bench, server: Server, schema: str, rows: int) -> None:
    """As in the wild: no index but the primary key."""
    folder = Path(str(server.root.execute("select @@secure_file_priv")[0][0]))
    file = folder / f"{schema}.tsv"
    module(bench.folder, "benchmarks.data", rows // 4, 50, file)
    kinds = {"bigint": "int", "varchar": "text"}
    columns = ", ".join(f"{name} {kinds[kind]}" for name, kind in COLUMNS.items() if name not in ("id", "tag"))
    table = f"{schema}.table_output"
    server.root.execute(f"create table {table} (id int primary key auto_increment, tag varchar(255), {columns})")
    server.root.execute(f"load data infile '{file}' into table {table} character set utf8mb4 ({', '.join(COLUMNS)})")
    file.unlink()


def compare_views(server: Server, source: str, target: str, rows: int, limit: int) -> Line:
    """`combined` version 1 beside the view that it replaces: the time that all their rows take."""
    ours = read_all(server, f"select * from {target}.combined_v1", limit)
    server.root.execute(f"use {source}")
    theirs = read_all(server, VIEW, limit)
    what, peer = f"all rows of combined v1, from {rows:,} rows, {server.kind}", "the first view"
    if ours is None:
        raise RuntimeError(f"combined_v1 took more than {limit} s on {server.kind}.")
    if theirs is None:
        ratio = f"over {limit / ours.seconds:.1f} times as fast"
        return Line(what, seconds(ours), peer, f"stopped after {limit} s", ratio)
    return beside(what, ours, peer, theirs)


def read_all(server: Server, query: str, limit: int) -> Cost | None:
    """The time that the server takes for every row of a query; None if that is more than `limit` seconds."""
    statement = f"select count(*), sum(length(text)) from ({query}) as combined"
    if server.kind == "mariadb":
        statement = f"set statement max_statement_time={limit} for {statement}"
    else:
        server.root.execute(f"set max_execution_time={1000 * limit}")
    begin = time.perf_counter()
    try:
        server.root.execute(statement)
    except SqlError as error:
        if "max_statement_time" in str(error) or "maximum statement execution time" in str(error):
            return None
        raise
    return Cost(time.perf_counter() - begin, 0, 0)


PARTS: dict[str, Callable[[Bench], Iterator[Line]]] = {
    "start": starting,
    "copy": copying,
    "answers": copying_answers,
    "export": exporting,
    "files": many_files,
    "servers": servers,
    "memory": memory,
}
