"""A source for Spark, as views over Parquet files: those of the user, read in place, or a copy of other files.

The build makes the views (macros/project/accept_copy.sql), because no Spark starts here.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import duckdb

from probesheets.errors import ProbesheetsError, counted, shown
from probesheets.project.build import OFFERED
from probesheets.settings import setting
from probesheets.source.asked import Source
from probesheets.source.copy import Copied, columns_read, connect, copy_source, read_experiments
from probesheets.source.files import file_list, find_files, open_files
from probesheets.source.files import reading as reading_file
from probesheets.source.keep import INCOMING, check_reading, free_name
from probesheets.source.query import QUERY
from probesheets.source.shapes import Reading, known_names, recognise
from probesheets.sql import literal, quoted

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")


def offer_source(files: Path, source: Source) -> Copied:
    """Prepare a source for Spark. What must be copied goes into a new folder of `_copies`.

    Raises ProbesheetsError if anything is wrong.
    """
    if schema := os.environ.get("PROBESHEETS_SOURCE_SCHEMA"):
        raise ProbesheetsError(
            f"PROBESHEETS_SOURCE_SCHEMA names the source: {schema}. Remove this variable, or remove --source."
        )
    folder, rows = _copies(files) / uuid4().hex, None
    is_file = "://" not in source.place and source.shape != QUERY
    if is_file and _is_readable(types := _types_of_parquet(find_files(source.place))):
        copied, views, rows = _in_place(folder, source, types)
    else:
        with _database(folder) as database:
            copied = copy_source(database, source)
            with connect(database) as connection:
                views = _write(connection, folder)
    offered = json.dumps({"name": source.name, "rows": rows, "views": views})
    return Copied(copied.shape, copied.said, copied.advice, {OFFERED: offered})


def forget_copies(files: Path, kept: Mapping[str, str]) -> None:
    """Remove the copies of earlier sources. `kept` is the environment of the build that has accepted the newest one."""
    for folder in _copies(files).glob("*"):
        if re.fullmatch("[0-9a-f]{32}", folder.name) and folder.name not in kept[OFFERED]:
            shutil.rmtree(folder, ignore_errors=True)


def _copies(files: Path) -> Path:
    return files / "copied_sources" / setting("spark", "schema")


def _types_of_parquet(found: list[Path]) -> dict[Path, dict[str, str]]:
    """The columns of each Parquet file with their types; empty for files of another kind."""
    if found[0].suffix.lower() not in (".parquet", ".pq"):
        return {}
    types = {}
    for file in found:
        with reading_file(lambda said: ProbesheetsError(f"{file} cannot be read as Parquet: {said.splitlines()[0]}")):  # noqa: B023
            query = f"describe from read_parquet({file_list([file])}, hive_partitioning = false)"
            types[file] = {str(name): str(kind) for name, kind, *_ in duckdb.execute(query).fetchall()}
    return types


def _is_readable(types: Mapping[Path, Mapping[str, str]]) -> bool:
    """Whether Spark can read Parquet files in place. It lacks some types, such as the nanoseconds of pandas."""
    kinds = {kind for columns in types.values() for kind in columns.values()}
    return bool(kinds) and not any(re.match("TIMESTAMP_NS|TIME$|TIME ", kind) for kind in kinds)


def _in_place(
    folder: Path, source: Source, types: Mapping[Path, Mapping[str, str]]
) -> tuple[Copied, dict[str, str], int]:
    """What to say about Parquet files, the SQL of their views, and their rows; only table_experiment is copied."""
    found = [*types]
    with duckdb.connect() as connection, open_files(connection, found, known_names()) as rows:
        columns = types[found[0]]
        reading = recognise(source.place, [*columns], source.columns, source.shape)
        shape = reading.shape
        check_reading(source, source.place, rows, shape.first, reading)
        if source.nulls or reading.seconds:
            option = "--null" if source.nulls else "date=NAME:seconds"
            raise ProbesheetsError(f"Spark reads Parquet files in place, without {option}. Change the files.")
        _refuse_different_columns(types)
        [(count,)] = connection.execute(f"select count(*) from read_parquet({file_list(found)})").fetchall()
        columns = _columns(reading, {name: columns[name] for name in columns if name not in rows.nested}, source)
    if not count:
        raise ProbesheetsError(f"{source.name}: {shape.first} has no rows.")
    said = f"Spark reads {counted(count, 'row')} of {shape.first} in place, from {source.name}"
    listed = ", ".join(f"{sql} as {quoted(name, '`')}" for name, sql in columns.items())
    views = {shape.first: f"select {listed} from {_parquet(source.place)}"}
    if source.experiments:
        with _database(folder) as database, connect(database) as connection:
            read_experiments(connection, source, source.experiments, shape)
            views |= _write(connection, folder)
    return Copied(shape.name, (said, *columns_read(reading, [*columns])), ()), views, count


def _columns(reading: Reading, types: Mapping[str, str], source: Source) -> dict[str, str]:
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
            what = f"the column {shown(name)} has the type {types[name]}, but must hold whole numbers (BIGINT)"
            raise ProbesheetsError(
                f"{source.name}: {what}. Change the files, or name another column: --columns {column}=NAME"
            )
        given = quoted(name, "`") if name else literal(source.date) if column == "date" and source.date else "null"
        columns[column] = f"cast({given} as {sql})"
    for name in types:
        if name not in reading.columns.values():
            columns[free_name(name, columns)] = quoted(name, "`")
    return columns


def _refuse_different_columns(types: Mapping[Path, Mapping[str, str]]) -> None:
    """Spark takes the columns of one file for those of all."""
    first, *others = types
    for file in others:
        if different := {*types[file].items()} ^ {*types[first].items()}:
            name, kind = min(different)
            one, other = (file, first) if types[file].get(name) == kind else (first, file)
            raise ProbesheetsError(
                f"{one} has a column {shown(name)} ({kind}), and {other} has {types[other].get(name, 'none')}. Spark "
                "reads files in place only if all have the same columns and types. Write them again, or name one file."
            )


def _parquet(place: str | Path) -> str:
    """Spark's name for Parquet files: a path, a pattern or a folder."""
    path = Path(place).absolute()
    if path.exists() and re.search(r"[][{}*?\\]", str(path)):
        raise ProbesheetsError(f"Spark cannot read a path with one of []{{}}*?\\: {path}. Rename the file or folder.")
    return f"parquet.{quoted(str(path / '*.parquet' if path.is_dir() else path), '`')}"


@contextmanager
def _database(folder: Path) -> Iterator[Path]:
    """A DuckDB file for the time of a copy."""
    folder.mkdir(parents=True)
    try:
        yield folder / "copy.duckdb"
        (folder / "copy.duckdb").unlink()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _write(connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, str]:
    """Write the incoming tables as Parquet files; returns the SQL of their views."""
    tables = {}
    for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall():
        table = str(name).removeprefix(INCOMING)
        file = folder / f"{table}.parquet"
        connection.execute(f"copy {quoted(str(name))} to {literal(str(file))}")
        tables[table] = f"select * from {_parquet(file)}"
    return tables
