"""What takes long: a file of 5 GB, a cell of 500 MB, 10 million texts; how long, and the most memory that it took.

Usage: python -m benchmarks.soak [--scale 0.05] [--only PART ...]. The tests measure a twentieth, test_memory.py.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.files import COPY, LONG, write_answers, write_csv, write_parquet
from benchmarks.measure import Cost, measure
from benchmarks.parts import dbt, duckdb_file, export, module
from tests.build import make_project
from tests.servers import PASSWORD, ROOT, USER, Server, mariadb, mysql_environment

READ = """
from probesheets.warehouse import Server
batches = list(map(lambda batch: batch.nbytes, Server("mariadb").stream("select * from s.table_output")))
open("said", "w").write(f"{len(batches)} batches, the largest of {max(batches) / 1e6:.0f} MB")
"""


@dataclass(frozen=True)
class Measured:
    what: str
    cost: Cost
    most: int  # megabytes that it may take
    said: str = ""  # in its first line

    def __str__(self) -> str:
        figures = f"{self.cost.seconds:.1f} s, {self.cost.megabytes:,.0f} of {self.most:,} MB"
        return f"{self.what}: {figures}. {self.said[:150]}"


def make_settings(folder: Path) -> None:
    """Put the project's settings and shapes into a folder, so that the exporter finds them there."""
    for name in ("dbt_project.yml", "profiles.yml", "models"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)


def copied(folder: Path, what: str, source: object, most: int) -> Measured:
    make_settings(folder)
    environment = {"PYTHONPATH": str(ROOT), "PROBESHEETS_PASSWORD": PASSWORD}
    cost = measure([sys.executable, "-c", COPY, str(source)], folder, environment)
    return Measured(what, cost, most, (folder / "said").read_text(encoding="utf-8").splitlines()[0])


# --- files


def files(folder: Path, scale: float) -> Iterator[Measured]:
    """Within 1 GB: rows of 500 bytes, and rows so short that there are many."""
    for gigabytes, rows, length in ((5, 10_000_000, 420), (1, 12_000_000, 30)):
        file = write_csv(folder / "source.csv", int(rows * scale), length)
        yield copied(folder, f"CSV of {gigabytes * scale:g} GB, {rows * scale:,.0f} rows", file, 1_000)
        file.unlink()


def answers(folder: Path, scale: float) -> Iterator[Measured]:
    rows = int(4_800_000 * scale)
    for file in write_answers(folder, rows, 1_000):
        size = file.stat().st_size / 1e9
        yield copied(folder, f"{file.name} of {size:.1f} GB, {rows:,} answers", file, 1_000)
        file.unlink()


def long_cell(folder: Path, scale: float) -> Iterator[Measured]:
    for write, name in ((write_csv, "source.csv"), (write_parquet, "source.parquet")):
        file = write(folder / name, 1, int(5e8 * scale))
        yield copied(folder, f"{name} with one cell of {500 * scale:g} MB", file, 3_000)
        file.unlink()


def long_rows(folder: Path, scale: float) -> Iterator[Measured]:
    for write, name in ((write_csv, "source.csv"), (write_parquet, "source.parquet")):
        file = write(folder / name, int(2_500 * scale), LONG)
        yield copied(folder, f"{name} with {2_500 * scale:,.0f} rows of 1.1 MB", file, 1_000)
        file.unlink()


# --- servers


def servers(folder: Path, scale: float) -> Iterator[Measured]:
    with mariadb() as server:
        server.create_schemas("s", "t")
        source = f"mysql://{USER}@127.0.0.1:{server.port}/s"
        _fill(server, int(1_500_000 * scale), 26)
        yield copied(folder, f"server with {1.5 * scale:g} GB, {1_500_000 * scale:,.0f} rows", source, 1_000)
        _fill(server, int(2_000 * scale), LONG // 32)
        environment = server.environment("s", "t") | {"PYTHONPATH": str(ROOT)}
        cost = measure([mysql_environment() / "bin" / "python", "-c", READ], folder, environment)
        what = f"reading {2_000 * scale:,.0f} rows of 1.1 MB from a server"
        yield Measured(what, cost, 500, (folder / "said").read_text(encoding="utf-8"))


def _fill(server: Server, rows: int, times: int) -> None:
    columns = "experiment_id int, root_id int, tag varchar(20), probe text, content longtext"
    server.root.execute("use s")
    server.root.execute("drop table if exists table_output")
    server.root.execute(f"create table table_output (id int primary key, {columns})")
    server.root.execute(
        f"insert into table_output select seq, 1, 0, 'trimmed', 'p', repeat(md5(seq), {times}) from seq_1_to_{rows}"
    )


# --- all of it


def texts(folder: Path, scale: float, memory: str = "2GB") -> Iterator[Measured]:
    count, project = int(10_000_000 * scale), folder / "project"
    make_project(project, coding=True)
    environment = duckdb_file(project) | {"PROBESHEETS_MEMORY": memory}
    module(folder, "benchmarks.data", count, 50, project / "probesheets.duckdb")
    yield Measured(f"dbt build of {count:,} texts", dbt("build", "duckdb", project, environment), 3_000)
    cost = export(project, folder / "out", "duckdb", environment)
    yield Measured(f"export of {count:,} texts, both kinds", cost, 3_000)


def long_texts(folder: Path, scale: float) -> Iterator[Measured]:
    count, project = int(100 * scale), folder / "long"
    make_project(project, coding=True)
    copied(project, "", write_csv(project / "source.csv", count, LONG), 0)
    (project / "copy.duckdb").rename(project / "probesheets.duckdb")
    cost = dbt("build", "duckdb", project, duckdb_file(project))
    yield Measured(f"dbt build of {count} texts of 1.1 MB", cost, 3_000)
    yield Measured(f"export of {count} texts of 1.1 MB, both kinds", export(project, folder / "out"), 3_000)


PARTS: dict[str, Callable[[Path, float], Iterator[Measured]]] = {
    "files": files,
    "answers": answers,
    "long-cell": long_cell,
    "long-rows": long_rows,
    "servers": servers,
    "texts": texts,
    "long-texts": long_texts,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="of the sizes; 1 needs 30 GB of disk and half an hour")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="only this part; may be repeated")
    given = parser.parse_args()
    (ROOT / "target").mkdir(exist_ok=True)
    over = False
    with tempfile.TemporaryDirectory(prefix="soak-", dir=ROOT / "target", ignore_cleanup_errors=True) as folder:
        for part in given.only or PARTS:
            for measured in PARTS[part](Path(folder), given.scale):
                print(measured, flush=True)
                over |= measured.cost.megabytes > measured.most
    sys.exit("More memory was taken than it should be." if over else 0)


if __name__ == "__main__":
    main()
