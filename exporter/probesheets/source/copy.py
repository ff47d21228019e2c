"""Copy a source into the DuckDB file: from a CSV or Parquet file, or from a server.

The copy arrives in tables whose names begin with `incoming_`. A build that is told to, by ACCEPT, checks them before it
builds anything, and then gives them their names (macros/project/accept_copy.sql). So a source that fails a check never
replaces the previous copy, and what a killed `run` left is never accepted by another command.
"""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa

from probesheets.errors import ProbesheetsError, counted, shown
from probesheets.settings import check_target, is_duckdb, memory, more_memory
from probesheets.source.append import append, columns, origin
from probesheets.source.files import longest, read_chunks
from probesheets.source.server import copy_server, hide_password, without_password
from probesheets.sql import literal, quoted
from probesheets.warehouse.duckdb_file import open_file

TABLES = {
    "table_output": ("id", "experiment_id", "root_id", "tag", "probe", "content"),
    "table_experiment": ("id", "model_name"),
}
INCOMING = "incoming_"
ACCEPT = {"PROBESHEETS_INCOMING": "1"}  # the environment of a dbt command that may accept the copy
NULLS = ("NULL", "\\N")  # what phpMyAdmin, HeidiSQL and mysql write for a null
_WITHOUT_MODELS = "The earlier copy has model names, this source has none. To keep them, add --experiments FILE."
_WHOLE_NUMBERS = ("id", "experiment_id", "root_id", "depth")
_MOVED = {  # by --offset-ids; a raw row has the root 0
    "id": "id + {0} as id",
    "experiment_id": "experiment_id + {0} as experiment_id",
    "root_id": "case when root_id > 0 then root_id + {0} else root_id end as root_id",
}


@dataclass(frozen=True)
class Source:
    """What to copy: a path or `mysql://user@host:port/schema`, and the file of table_experiment if it is separate.

    `append` adds the rows to the copy that exists. `offset` is added to their ids. Cells with one of the texts `nulls`
    become null.
    """

    place: str
    experiments: Path | None = None
    append: bool = False
    offset: int = 0
    nulls: tuple[str, ...] = ()

    @classmethod
    def asked(
        cls, target: str, place: str | None, experiments: Path | None, append: bool, offset: int, nulls: Iterable[str]
    ) -> "Source | None":
        """The source that the options describe. Raises ProbesheetsError if they do not fit together."""
        given = {"--experiments": experiments, "--append": append, "--offset-ids": offset, "--null": nulls}
        options = [name for name, value in given.items() if value]
        check_target(target)
        if not is_duckdb(target) and (place or options):
            listed = ", ".join(["--source", *options])
            raise ProbesheetsError(
                f"Target {target} reads its own server. Remove {listed}, or remove --target {target}."
            )
        if not place:
            if options:
                raise ProbesheetsError(f"{options[0]} needs --source, because it is about the copy. Add --source.")
            return None
        if offset and not append:
            raise ProbesheetsError("--offset-ids needs --append. Add --append, or remove --offset-ids.")
        return cls(place, experiments, append, offset, tuple(nulls))

    @property
    def name(self) -> str:
        """The place as messages may show it."""
        return without_password(self.place)


def copy_source(database: Path, source: Source, base: Path | None = None) -> tuple[str, str | None]:
    """Copy a source into the file `database`, all of it or nothing; returns what was read, and advice if there is any.

    `base` is the file with the earlier copy, if it is another one. Raises ProbesheetsError if anything is wrong.
    """
    try:
        with connect(database) as connection:
            if base:
                connection.execute(f"attach {literal(str(base))} as base (read_only)")
            connection.begin()
            _drop(connection)
            rows = _read(connection, source)
            advice, said = _advice(connection), f"Read {counted(rows, 'row')} of table_output from {source.name}"
            before = "base.main" if base else "main"
            if source.append:
                new = append(connection, before, INCOMING, source.name)
                said += f", {new:,} of them new"
            else:
                replaced, models = origin(connection, before), "table_experiment"
                if columns(connection, f"{before}.{models}") and not columns(connection, f"main.{INCOMING}{models}"):
                    advice = "\n".join(filter(None, (advice, _WITHOUT_MODELS)))
                said += f", to replace the copy of {replaced}" if replaced not in (None, source.name) else ""
                connection.execute(f"comment on table main.{INCOMING}table_output is {literal(source.name)}")
            connection.commit()
    except (duckdb.IOException, duckdb.TransactionException, duckdb.OutOfMemoryException) as error:
        raise ProbesheetsError(
            f"{database} cannot be written: {hide_password(str(error)).splitlines()[0]}\n"
            "The previous copy is unchanged. Free some disk space, set PROBESHEETS_DUCKDB to another file or, if rows "
            f"are long, run the command again with {more_memory()}."
        ) from None
    return said, advice


def _read(connection: duckdb.DuckDBPyConnection, source: Source) -> int:
    """Make the incoming tables; returns the number of rows of table_output."""
    if "://" in source.place:
        rows = copy_server(connection, source.place, TABLES, partial(_keep, connection, source, source.name))
    else:
        rows = _copy_file(connection, source, Path(source.place), "table_output")
    if not rows:
        raise ProbesheetsError(f"{source.name}: table_output has no rows.")
    if source.experiments is not None:
        _copy_file(connection, source, source.experiments, "table_experiment")
    return rows


def _advice(connection: duckdb.DuckDBPyConnection) -> str | None:
    """A line for each of NULLS that fills cells of the incoming table_output."""
    incoming, lines = f"main.{INCOMING}table_output", []
    names = [str(name) for name, kind, *_ in connection.execute(f"describe {incoming}").fetchall() if kind == "VARCHAR"]
    for word in NULLS:
        counts = ", ".join(f"count(*) filter ({quoted(name)} = {literal(word)})" for name in names)
        found = zip(names, connection.execute(f"select {counts} from {incoming}").fetchall()[0], strict=True)
        if cells := ", ".join(f"{count:,} of {shown(name)}" for name, count in found if count):
            lines.append(
                f"Cells that contain only {word}: {cells}. If they are null in the database, run the command again "
                f"with --null {shlex.quote(word)}"
            )
    return "\n".join(lines) or None


def discard_copy(database: Path) -> None:
    """Remove a copy that dbt has not accepted."""
    with connect(database) as connection:
        _drop(connection)


def _drop(connection: duckdb.DuckDBPyConnection) -> None:
    for table in TABLES:
        connection.execute(f"drop table if exists main.{INCOMING}{table}")


def connect(database: Path) -> duckdb.DuckDBPyConnection:
    """Open the file for writing. Raises ProbesheetsError if that fails."""
    connection = open_file(database, read_only=False)
    # a fifth of the memory: DuckDB takes as much again that it does not count, and so does the reader
    connection.execute(f"set memory_limit = '{memory() // 5_000_000}MB'; set threads = 2")
    connection.execute("set preserve_insertion_order = false")  # it would hold back rows
    return connection


def _copy_file(connection: duckdb.DuckDBPyConnection, source: Source, path: Path, table: str) -> int:
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
        return _keep(connection, source, str(path), "incoming", names, table)
    except BaseException as error:
        failed.append(error)
        if failed[0] is error:
            raise
        raise failed[0] from None
    finally:
        connection.unregister("incoming")


def _keep(
    connection: duckdb.DuckDBPyConnection, source: Source, origin: str, relation: str, names: list[str], table: str
) -> int:
    """Make the incoming table from a relation of texts, with ids as numbers; returns its rows."""
    known = [name.lower() for name in names]
    columns = [
        _whole_number(name, source.nulls) if name.lower() in _WHOLE_NUMBERS else _text(name, source.nulls)
        for name in names
    ]
    if table == "table_output" and "depth" not in known and not source.append:
        columns.append("cast(null as bigint) as depth")
    moved = ", ".join(sql.format(source.offset) for name, sql in _MOVED.items() if name in known)
    try:
        [(rows,)] = connection.execute(
            f"create table main.{INCOMING}{table} as select * {f'replace ({moved})' if source.offset else ''} "
            f"from (select {', '.join(columns)} from {relation})"
        ).fetchall()
    except duckdb.OutOfRangeException:
        raise ProbesheetsError(f"{origin}: an id plus {source.offset} is too large. Choose a smaller offset.") from None
    except duckdb.InvalidInputException as error:  # raised by error() in a column
        said = hide_password(str(error)).removeprefix("Invalid Input Error: ")
        raise ProbesheetsError(f"{origin}: {said}") from None
    return int(rows)


def _whole_number(name: str, nulls: Iterable[str]) -> str:
    """The cast of an id column. It accepts common spellings of null, and whole floats (`17.0`, from pandas)."""
    column, empty = quoted(name), ", ".join(map(literal, ("", *NULLS, *nulls)))
    digits = f"try_cast(regexp_extract(trim({column}), '^(-?[0-9]+)(\\.0+)?$', 1) as bigint)"
    cell = f"regexp_replace(left({column}, 40), '[[:cntrl:]]', '?', 'g')"
    return (
        f"case when cast(try_cast({column} as bigint) as varchar) = {column} then cast({column} as bigint) "
        f"when {column} is null or trim({column}) in ({empty}) then null else coalesce({digits}, "
        f"cast(error(concat({literal(name)}, ' ''', {cell}, ''' is not a whole number.')) as bigint)) end as {column}"
    )


def _text(name: str, nulls: Iterable[str]) -> str:
    """A column of texts that refuses a text that is too long."""
    column, most = quoted(name), longest()
    words = ", ".join(map(literal, nulls)) or "null"
    return (
        f"case when {column} in ({words}) then null "
        f"when strlen({column}) > {most} then error(concat('the row with id ', id, ' has ', "
        f"strlen({column}) // 1000000, ' MB in ', {literal(name)}, '; the maximum is {most // 10**6} MB. "
        f"Shorten it, or run the command again with {more_memory()}.')) else {column} end as {column}"
    )
