"""Copy a source into the DuckDB file: from files, or from a server.

The copy arrives in tables whose names begin with `incoming_`. A build that is told to, by ACCEPT, checks them before it
builds anything, and then gives them their names (macros/project/accept_copy.sql). So a source that fails a check never
replaces the previous copy, and what a killed `run` left is never accepted by another command.
"""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from probesheets.errors import ProbesheetsError, counted, hide_password, shown
from probesheets.project.build import OFFERED
from probesheets.project.build_log import Builds
from probesheets.settings import database_file, is_duckdb, is_spark, memory, more_memory
from probesheets.source.append import append, columns, origin, own_tables, shape_of_copy
from probesheets.source.asked import Source
from probesheets.source.files import Rows, find_files, open_files
from probesheets.source.keep import INCOMING, check_rows, keep, numbers_rows
from probesheets.source.query import QUERY, open_query
from probesheets.source.server import copy_server
from probesheets.source.shapes import (
    OWN_ID,
    TABLE_OUTPUT,
    Reading,
    Shape,
    all_tables,
    known_names,
    read_table,
    recognise,
)
from probesheets.sql import literal
from probesheets.warehouse import open_warehouse
from probesheets.warehouse.duckdb_file import open_file

ACCEPT = {OFFERED: "1"}  # the environment of a dbt command that may accept the copy
EXPERIMENTS = "table_experiment"
_WITHOUT_MODELS = "The earlier copy has model names, this source has none. To keep them, add --experiments FILE."


@dataclass(frozen=True)
class Copied:
    """What was copied: the name of its shape, what to say about it, and advice, a line each."""

    shape: str
    said: tuple[str, ...]
    advice: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: ACCEPT)  # for the build that may accept the copy


def copy_source(database: Path, source: Source, base: Path | None = None) -> Copied:
    """Copy a source into the file `database`, all of it or nothing.

    `base` is the file with the earlier copy, if it is another one. Raises ProbesheetsError if anything is wrong.
    """
    try:
        with connect(database) as connection:
            if base:
                connection.execute(f"attach {literal(str(base))} as base (read_only)")
            connection.begin()
            _drop(connection)
            copied = _copy(connection, source, "base.main" if base else "main")
            connection.commit()
    except (duckdb.IOException, duckdb.TransactionException, duckdb.OutOfMemoryException) as error:
        raise ProbesheetsError(
            f"{database} cannot be written: {hide_password(str(error)).splitlines()[0]}\n"
            "The previous copy is unchanged. Free some disk space, set PROBESHEETS_DUCKDB to another file or, if rows "
            f"are long, run the command again with {more_memory()}."
        ) from None
    return copied


def _copy(connection: duckdb.DuckDBPyConnection, source: Source, before: str) -> Copied:
    """Make the incoming tables. `before` is the schema with the earlier copy."""
    rows, reading, notes = _read(connection, source)
    shape = reading.shape
    _refuse_misfits(connection, before, source, shape)
    said = f"Read {counted(rows, 'row')} of {shape.first} from {source.name}"
    heard = columns_read(reading, columns(connection, f"main.{INCOMING}{shape.first}"))
    incoming = [f"main.{INCOMING}{table}" for table in shape.tables]
    words = [check_rows(connection, source.name, table) for table in incoming if columns(connection, table)]
    advice = [*notes, *_advice(connection, source, shape, words[0])]
    if source.append:
        new = append(connection, before, INCOMING, source.name, shape)
        said += f", {new:,} of them new"
        if new < rows and _has_row_numbers(connection, reading):
            [(largest,)] = connection.execute(f"select max(id) from main.{INCOMING}{shape.first}").fetchall()
            advice.append(
                f"Already in the copy, with the same number and content: {counted(rows - new, 'row')}. If they are "
                f"different answers, run the command again with --offset-ids {10 ** len(str(largest))}"
            )
    else:
        replaced = origin(connection, before)
        said += f", to replace the copy of {replaced}" if replaced not in (None, source.name) else ""
        had, has = (columns(connection, f"{place}{EXPERIMENTS}") for place in (f"{before}.", f"main.{INCOMING}"))
        advice += [_WITHOUT_MODELS] if had and not has and EXPERIMENTS in shape.tables else []
        connection.execute(f"comment on table main.{INCOMING}{shape.first} is {literal(source.name)}")
    return Copied(shape.name, (said, *heard), tuple(advice))


def _refuse_misfits(connection: duckdb.DuckDBPyConnection, before: str, source: Source, shape: Shape) -> None:
    """Raises ProbesheetsError for a copy that would replace a table of the user, or go on in another copy."""
    if shape.name != TABLE_OUTPUT and shape.first in own_tables(connection, before):
        raise ProbesheetsError(
            f"The database has a table {shape.first} that is not a copy of a source.\n"
            "Rename it, or set PROBESHEETS_DUCKDB to another file."
        )
    if shape.one_file and (source.append or len(find_files(source.place)) > 1):
        raise ProbesheetsError(
            f"Copy one {shape.name} at a time, without --append: one would go on in the other. "
            "For each of them, set PROBESHEETS_DUCKDB to another file."
        )


def _read(connection: duckdb.DuckDBPyConnection, source: Source) -> tuple[int, Reading, list[str]]:
    """Make the incoming tables; returns the number of rows of the first one, how they were read, and notes."""
    notes: list[str] = []
    if "://" in source.place:
        rows, reading, notes = copy_server(connection, source)
    else:
        with _opened(connection, source) as found:
            reading = recognise(source.place, found.columns, source.columns, source.shape or found.shape)
            if found.shape == reading.shape.name:
                reading = replace(reading, why=found.why)
            rows = keep(connection, source, source.place, found, reading.shape.first, reading)
    if not rows:
        raise ProbesheetsError(f"{source.name}: {reading.shape.first} has no rows.")
    if source.experiments is not None:
        read_experiments(connection, source, source.experiments, reading.shape)
    return rows, reading, notes


def _opened(connection: duckdb.DuckDBPyConnection, source: Source) -> AbstractContextManager[Rows]:
    if source.shape == QUERY:
        return open_query(connection, Path(source.place))
    return open_files(connection, find_files(source.place), known_names())


def read_experiments(connection: duckdb.DuckDBPyConnection, source: Source, file: Path, shape: Shape) -> None:
    """Make the incoming table of experiments."""
    if "model_name" not in shape.tables.get(EXPERIMENTS, ()):
        raise ProbesheetsError(f"A source of the shape {shape.name} has no {EXPERIMENTS}. Remove --experiments.")
    with open_files(connection, find_files(str(file)), [*shape.tables[EXPERIMENTS]]) as found:
        reading = read_table(str(file), shape, EXPERIMENTS, found.columns)
        connection.execute(f"drop table if exists main.{INCOMING}{EXPERIMENTS}")
        keep(connection, source, str(file), found, EXPERIMENTS, reading)


def columns_read(reading: Reading, kept: Sequence[str]) -> Iterator[str]:
    """Which shape was recognised, which column became what, and which of the columns `kept` are further ones."""
    shape = reading.shape
    if shape.name == TABLE_OUTPUT:  # its columns keep their names
        return
    id_as = OWN_ID if OWN_ID in kept else "Record ID"
    renamed = [f"{shown(name)} → {id_as if ours == 'id' else ours}" for ours, name in reading.columns.items()]
    yield f"The source has the shape {shape.name}, {reading.why}: {', '.join(renamed)}."
    if others := [shown(name) for name in kept if name not in (*shape.tables[shape.first], *shape.own_columns)]:
        yield f"Other columns, which the variable extra_columns can show: {', '.join(others)}."


def _has_row_numbers(connection: duckdb.DuckDBPyConnection, reading: Reading) -> bool:
    """Whether the ids of the incoming rows are row numbers, not ids of the source."""
    first = reading.shape.first
    has_ids = "id" in reading.columns and OWN_ID not in columns(connection, f"main.{INCOMING}{first}")
    return numbers_rows(reading.shape, first) and not has_ids


def _advice(
    connection: duckdb.DuckDBPyConnection, source: Source, shape: Shape, words: Mapping[str, str]
) -> Iterator[str]:
    """What the user should know about the incoming rows: cells with a word for null, and ids that may change."""
    for word, cells in words.items():
        yield (
            f"Cells that contain only {word}: {cells}. If they are null in the database, run the command again "
            f"with --null {shlex.quote(word)}"
        )
    if source.place.lower().endswith(".xlsx"):
        yield "An Excel workbook is read whole, so it must fit into memory. For larger data, use CSV or Parquet."
    if not numbers_rows(shape, shape.first):
        return
    if OWN_ID in columns(connection, f"main.{INCOMING}{shape.first}"):
        yield (
            "The ids of the source are not unique whole numbers, so the Record IDs are row numbers. "
            f"The source's own ids are in the column {OWN_ID}."
        )
    if "://" not in source.place and len(find_files(source.place)) > 1:
        yield (
            "The rows of all files are numbered together, in the order of the files' names. If a file grows, or a new "
            "one comes before another, the Record IDs after it change. To add files later, use --append."
        )


def shape_in(target: str) -> str | None:
    """The name of the shape of the copy that a target has; None without a copy, and for tables of others."""
    if is_spark(target):
        return None if os.environ.get("PROBESHEETS_SOURCE_SCHEMA") else _shape_on_spark(target)
    if not is_duckdb(target) or not database_file(target).is_file():
        return None
    with connect(database_file(target)) as connection:
        found = shape_of_copy(connection)
    return found.name if found else None


def _shape_on_spark(target: str) -> str | None:
    with suppress(ProbesheetsError), closing(open_warehouse(target)) as warehouse:
        return Builds(warehouse, target).copied_shape
    return None


def discard_copy(database: Path) -> None:
    """Remove a copy that dbt has not accepted."""
    with connect(database) as connection:
        _drop(connection)


def _drop(connection: duckdb.DuckDBPyConnection) -> None:
    for table in all_tables():
        connection.execute(f"drop table if exists main.{INCOMING}{table}")


def connect(database: Path) -> duckdb.DuckDBPyConnection:
    """Open the file for writing. Raises ProbesheetsError if that fails."""
    connection = open_file(database, read_only=False)
    # a fifth of the memory: DuckDB takes as much again that it does not count, and so does the reader
    connection.execute(f"set memory_limit = '{memory() // 5_000_000}MB'; set threads = 2; set timezone = 'UTC'")
    return connection
