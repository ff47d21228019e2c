"""A source for Spark, as views over Parquet files: those of the user, read in place, or a copy of other files.

The build makes the views (macros/project/accept_copy.sql), because no Spark starts here.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import duckdb

from probesheets.errors import ProbesheetsError, counted, shown
from probesheets.project.build import OFFERED
from probesheets.source.asked import Source
from probesheets.source.copy import Copied, columns_read, connect, copy_source, read_experiments
from probesheets.source.files import Rows, file_list, find_files, open_files
from probesheets.source.keep import INCOMING, check_reading
from probesheets.source.query import QUERY
from probesheets.source.shapes import Reading, known_names, recognise
from probesheets.sql import literal, quoted

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")


def offer_source(files: Path, source: Source) -> Copied:
    """Prepare a source for Spark. What must be copied goes into a new folder of files/copies.

    Raises ProbesheetsError if anything is wrong.
    """
    if schema := os.environ.get("PROBESHEETS_SOURCE_SCHEMA"):
        raise ProbesheetsError(
            f"PROBESHEETS_SOURCE_SCHEMA names the source: {schema}. Remove this variable, or remove --source."
        )
    folder = files / "copies" / uuid4().hex
    if "://" not in source.place and source.shape != QUERY and _is_parquet(find_files(source.place)):
        copied, tables = _in_place(folder, source)
    else:
        with _database(folder) as database:
            copied = copy_source(database, source)
            with connect(database) as connection:
                tables = _write(connection, folder)
    return Copied(copied.shape, copied.said, copied.advice, {OFFERED: json.dumps({"": source.name, **tables})})


def forget_copies(files: Path, kept: Mapping[str, str]) -> None:
    """Remove the copies of earlier sources. `kept` is the environment of the build that has accepted the newest one."""
    for folder in (files / "copies").glob("*"):
        if folder.name not in kept[OFFERED]:
            shutil.rmtree(folder, ignore_errors=True)


def _is_parquet(found: list[Path]) -> bool:
    return found[0].suffix.lower() in (".parquet", ".pq")


def _in_place(folder: Path, source: Source) -> tuple[Copied, dict[str, str]]:
    """What to say about Parquet files, and the SQL of their view; only table_experiment is copied."""
    found = find_files(source.place)
    with duckdb.connect() as connection, open_files(connection, found, known_names()) as rows:
        reading = recognise(source.place, rows.columns, source.columns, source.shape)
        shape = reading.shape
        check_reading(source, source.place, rows, shape.first, reading)
        if source.nulls or reading.seconds:
            option = "--null" if source.nulls else "date=NAME:seconds"
            raise ProbesheetsError(f"Spark reads Parquet files in place, without {option}. Change the files.")
        _refuse_different_columns(connection, found)
        read = f"read_parquet({file_list(found)}, union_by_name = true)"
        types = {str(name): str(kind) for name, kind, *_ in connection.execute(f"describe from {read}").fetchall()}
        [(count,)] = connection.execute(f"select count(*) from {read}").fetchall()
        columns = _columns(reading, rows, types, source)
    if not count:
        raise ProbesheetsError(f"{source.name}: {shape.first} has no rows.")
    said = f"Spark reads {counted(count, 'row')} of {shape.first} in place, from {source.name}"
    listed = ", ".join(f"{sql} as {quoted(name, '`')}" for name, sql in columns.items())
    tables = {shape.first: f"select {listed} from {_parquet(source.place)}"}
    if source.experiments:
        with _database(folder) as database, connect(database) as connection:
            read_experiments(connection, source, source.experiments, shape)
            tables |= _write(connection, folder)
    return Copied(shape.name, (said, *columns_read(reading, [*columns])), ()), tables


def _columns(reading: Reading, rows: Rows, types: Mapping[str, str], source: Source) -> dict[str, str]:
    """Spark's SQL for each column of the first table. Raises ProbesheetsError for ids that are no whole numbers."""
    columns = {}
    for column, kind in reading.shape.tables[reading.shape.first].items():
        name, sql = reading.columns.get(column), "bigint" if kind == "integer" else "string"
        if column == "id" and name is None:
            raise ProbesheetsError(
                f"{source.name} has no column id, so Spark cannot read it in place. Add a column of unique whole "
                f"numbers to the files, or name it: --columns id=NAME"
            )
        if name is not None and kind == "integer" and types[name] not in _INTEGERS:
            raise ProbesheetsError(
                f"{source.name}: the column {shown(name)} has the type {types[name]}, but Spark needs whole numbers in "
                f"it. Change the files, or name another column: --columns {column}=NAME"
            )
        given = quoted(name, "`") if name else literal(source.date) if column == "date" and source.date else "null"
        columns[column] = f"cast({given} as {sql})"
    for name in rows.columns:
        if name not in reading.columns.values() and name not in rows.nested and name not in columns:
            columns[name] = quoted(name, "`")
    return columns


def _refuse_different_columns(connection: duckdb.DuckDBPyConnection, found: list[Path]) -> None:
    """Spark takes the columns of one file for those of all."""
    query = f"select name from parquet_schema({file_list(found)}) group by name having count(distinct file_name) < "
    if name := connection.execute(f"{query} {len(found)} limit 1").fetchone():
        raise ProbesheetsError(
            f"Only some of the {len(found)} files have a column {shown(name[0])}. Spark needs the same columns in all "
            "files that it reads in place. Write them again."
        )


def _parquet(place: str | Path) -> str:
    """Spark's name for Parquet files: a path, a pattern or a folder."""
    path = Path(place).absolute()
    return f"parquet.{quoted(str(path / '*.parquet' if path.is_dir() else path), '`')}"


@contextmanager
def _database(folder: Path) -> Iterator[Path]:
    """A DuckDB file for the time of a copy."""
    folder.mkdir(parents=True)
    yield folder / "copy.duckdb"
    (folder / "copy.duckdb").unlink()


def _write(connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, str]:
    """Write the incoming tables as Parquet files; returns the SQL of their views."""
    tables = {}
    for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall():
        table = str(name).removeprefix(INCOMING)
        file = folder / f"{table}.parquet"
        connection.execute(f"copy {quoted(str(name))} to {literal(str(file))}")
        tables[table] = f"select * from {_parquet(file)}"
    return tables
