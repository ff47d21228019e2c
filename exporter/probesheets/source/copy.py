"""Copy a source into the DuckDB file: from a CSV or Parquet file, or from a server.

The copy arrives in tables whose names begin with `incoming_`. A build that is told to, by ACCEPT, checks them before it
builds anything, and then gives them their names (macros/project/accept_copy.sql). So a source that fails a check never
replaces the previous copy, and what a killed `run` left is never accepted by another command.
"""

from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa

from probesheets.errors import ProbesheetsError
from probesheets.settings import memory, more_memory
from probesheets.source.files import longest, read_chunks
from probesheets.source.server import copy_server, hide_password, without_password
from probesheets.sql import literal, quoted

TABLES = {
    "table_output": ("id", "experiment_id", "root_id", "tag", "probe", "content"),
    "table_experiment": ("id", "model_name"),
}
INCOMING = "incoming_"
ACCEPT = {"PROBESHEETS_INCOMING": "1"}  # the environment of a dbt command that may accept the copy
_WHOLE_NUMBERS = ("id", "experiment_id", "root_id", "depth")


def copy_source(database: Path, source: str, experiments: Path | None) -> str:
    """Copy a source into the file `database`, all of it or nothing; returns one line that says what was read.

    `source` is a path or `mysql://user@host:port/schema`. Raises ProbesheetsError if anything is wrong with it.
    """
    try:
        with connect(database) as connection:
            connection.begin()
            _drop(connection)
            if "://" in source:
                rows = copy_server(connection, source, TABLES, partial(_keep, connection, without_password(source)))
            else:
                rows = _copy_file(connection, Path(source), "table_output")
            if not rows:
                raise ProbesheetsError(f"{without_password(source)}: table_output has no rows.")
            if experiments is not None:
                _copy_file(connection, experiments, "table_experiment")
            connection.execute(f"comment on table main.{INCOMING}table_output is {literal(without_password(source))}")
            connection.commit()
    except (duckdb.IOException, duckdb.TransactionException, duckdb.OutOfMemoryException) as error:
        raise ProbesheetsError(
            f"{database} cannot be written: {hide_password(str(error)).splitlines()[0]}\n"
            "The previous copy is unchanged. Free some disk space, set PROBESHEETS_DUCKDB to another file or, if rows "
            f"are long, run the command again with {more_memory()}."
        ) from None
    return f"Read {rows:,} rows of table_output from {without_password(source)}"


def discard_copy(database: Path) -> None:
    """Remove a copy that dbt has not accepted."""
    with connect(database) as connection:
        _drop(connection)


def _drop(connection: duckdb.DuckDBPyConnection) -> None:
    for table in TABLES:
        connection.execute(f"drop table if exists main.{INCOMING}{table}")


def connect(database: Path) -> duckdb.DuckDBPyConnection:
    """Open the file for writing. Raises ProbesheetsError if that fails."""
    try:
        connection = duckdb.connect(str(database))
    except duckdb.Error as error:
        raise ProbesheetsError(
            f"{database} cannot be opened for writing: {str(error).splitlines()[0]}\n"
            "Close the program that uses it, or set PROBESHEETS_DUCKDB to another file."
        ) from None
    # a fifth of the memory: DuckDB takes as much again that it does not count, and so does the reader
    connection.execute(f"set memory_limit = '{memory() // 5_000_000}MB'; set threads = 2")
    connection.execute("set preserve_insertion_order = false")  # it would hold back rows
    return connection


def _copy_file(connection: duckdb.DuckDBPyConnection, path: Path, table: str) -> int:
    failed: list[BaseException] = []

    def read() -> Iterator[pa.RecordBatch]:
        try:
            for chunk in read_chunks(path, TABLES[table]):
                if failed:  # Ctrl-C: DuckDB would read to the end
                    return
                yield chunk
        except BaseException as error:  # DuckDB would replace it by an error of its own
            failed.append(error)
            raise

    chunks = read()
    first = next(chunks)
    connection.register("incoming", pa.RecordBatchReader.from_batches(first.schema, chain([first], chunks)))
    try:
        names = [str(row[0]) for row in connection.execute("describe incoming").fetchall()]  # DuckDB names empty ones
        return _keep(connection, str(path), "incoming", names, table)
    except BaseException as error:
        failed.append(error)
        if failed[0] is error:
            raise
        raise failed[0] from None
    finally:
        connection.unregister("incoming")


def _keep(connection: duckdb.DuckDBPyConnection, source: str, relation: str, names: list[str], table: str) -> int:
    """Make the incoming table from a relation of texts, with ids as numbers; returns its rows."""
    columns = [_whole_number(name) if name.lower() in _WHOLE_NUMBERS else _text(name) for name in names]
    if table == "table_output" and "depth" not in [name.lower() for name in names]:
        columns.append("cast(null as bigint) as depth")
    try:
        [(rows,)] = connection.execute(
            f"create table main.{INCOMING}{table} as select {', '.join(columns)} from {relation}"
        ).fetchall()
    except duckdb.InvalidInputException as error:  # raised by error() in a column
        said = hide_password(str(error)).removeprefix("Invalid Input Error: ")
        raise ProbesheetsError(f"{source}: {said}") from None
    return int(rows)


def _whole_number(name: str) -> str:
    """The cast of an id column. It accepts common spellings of null, and whole floats (`17.0`, from pandas)."""
    column = quoted(name)
    digits = f"try_cast(regexp_extract(trim({column}), '^(-?[0-9]+)(\\.0+)?$', 1) as bigint)"
    shown = f"regexp_replace(left({column}, 40), '[[:cntrl:]]', '?', 'g')"
    return (
        f"case when cast(try_cast({column} as bigint) as varchar) = {column} then cast({column} as bigint) "
        f"when {column} is null or trim({column}) in ('', 'NULL', '\\N') then null else coalesce({digits}, "
        f"cast(error(concat({literal(name)}, ' ''', {shown}, ''' is not a whole number.')) as bigint)) end as {column}"
    )


def _text(name: str) -> str:
    """A column of texts that refuses a text that is too long."""
    column, most = quoted(name), longest()
    return (
        f"case when strlen({column}) > {most} then error(concat('the row with id ', id, ' has ', "
        f"strlen({column}) // 1000000, ' MB in ', {literal(name)}, '; the maximum is {most // 10**6} MB. "
        f"Shorten it, or run the command again with {more_memory()}.')) else {column} end as {column}"
    )
