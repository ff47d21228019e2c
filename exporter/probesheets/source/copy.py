"""The raw copy of the source in the DuckDB file: filled from a CSV or Parquet file, or from a server."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import duckdb
import pyarrow as pa

from probesheets.errors import ProbesheetsError, shown
from probesheets.project.build_log import LOG
from probesheets.source.files import CHUNK_ROWS, check_columns, check_size, longest, read_batches
from probesheets.warehouse import memory, more_memory

OUTPUT_COLUMNS = ("id", "experiment_id", "root_id", "tag", "probe", "content")
EXPERIMENT_COLUMNS = ("id", "model_name")
_WHOLE_NUMBERS = ("id", "experiment_id", "root_id", "depth")
_PASSWORD = re.compile("(?i)(pass[^/?&#=]*|pwd|pw|secret)=")
_THIS_MACHINE = re.compile(r"localhost|127(\.[0-9]+){3}|::1")


def replace_copy(database: Path, source: str, experiments: Path | None, text_tag: str | None = None) -> str:
    """Replace the raw copy in the file `database`, whole or not at all, and say in one line what was read.

    `source` is a path or `mysql://user@host:port/schema`; some row must have the `text_tag`, if one is given. Raises
    ProbesheetsError for anything wrong with it.
    """
    try:
        return _replace_copy(database, source, experiments, text_tag)
    except (duckdb.IOException, duckdb.TransactionException, duckdb.OutOfMemoryException) as error:
        raise ProbesheetsError(
            f"{database} cannot be written: {_secretless(str(error)).splitlines()[0]}\n"
            "The copy that was there is as it was. Make room on the disk, name another file in PROBESHEETS_DUCKDB, or, "
            f"if rows are long, run the command again with {more_memory()}."
        ) from None


def _replace_copy(database: Path, source: str, experiments: Path | None, text_tag: str | None) -> str:
    with _connect(database) as connection:
        connection.begin()
        connection.execute("drop table if exists main.table_experiment")
        if "://" in source:
            rows = _copy_server(connection, source)
        else:
            rows = _copy_file(connection, Path(source), "table_output", OUTPUT_COLUMNS)
        if not rows:
            raise ProbesheetsError(f"{_without_password(source)}: table_output has no rows.")
        if text_tag is not None:
            _check_text_tag(connection, source, text_tag)
        if experiments is not None:
            _copy_file(connection, experiments, "table_experiment", EXPERIMENT_COLUMNS)
        _record_copy(connection, source)
        connection.commit()
    return f"Copied {rows:,} rows of table_output from {_without_password(source)}"


def _connect(database: Path) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(database))
    except duckdb.Error as error:
        raise ProbesheetsError(
            f"{database} cannot be opened for writing: {str(error).splitlines()[0]}\n"
            "Close the program that uses it, or name another file in PROBESHEETS_DUCKDB."
        ) from None
    # a fifth of the memory: DuckDB takes as much again that it does not count, and so does what is being read
    connection.execute(f"set memory_limit = '{memory() // 5_000_000}MB'; set threads = 2")
    connection.execute("set preserve_insertion_order = false")  # which would hold back rows
    return connection


# --- files


def _copy_file(connection: duckdb.DuckDBPyConnection, path: Path, table: str, required: tuple[str, ...]) -> int:
    failed: list[BaseException] = []

    def read() -> Iterator[pa.RecordBatch]:
        try:
            for batch in read_batches(path, required):
                if failed:  # Ctrl-C: DuckDB would read to the end
                    return
                yield batch
        except BaseException as error:  # DuckDB would make one of its own of it
            failed.append(error)
            raise

    batches = read()
    first = next(batches)
    connection.register("incoming", pa.RecordBatchReader.from_batches(first.schema, chain([first], batches)))
    try:
        names = [str(row[0]) for row in connection.execute("describe incoming").fetchall()]  # none of which is empty
        return _keep(connection, "incoming", names, table, str(path))
    except BaseException as error:
        failed.append(error)
        if failed[0] is error:
            raise
        raise failed[0] from None
    finally:
        connection.unregister("incoming")


# --- servers


def _copy_server(connection: duckdb.DuckDBPyConnection, url: str) -> int:
    """Copy both tables as text, all rows, filtering nothing; returns the rows of table_output."""
    place, schema = _place(url)
    try:
        _attach(connection, place, schema)
        found = _server_columns(connection, schema, "table_output")
        if not found:
            raise ProbesheetsError(
                f"{_without_password(url)}: there is no table_output in {schema}, or the user may not read it."
            )
        check_columns(Path(f"{schema}.table_output"), found, OUTPUT_COLUMNS)
        rows = _copy_table(connection, url, schema, "table_output", found)
        if found := _server_columns(connection, schema, "table_experiment"):
            check_columns(Path(f"{schema}.table_experiment"), found, EXPERIMENT_COLUMNS)
            _copy_table(connection, url, schema, "table_experiment", list(EXPERIMENT_COLUMNS))
        return rows
    except duckdb.Error as error:
        # the first line only: what follows may repeat the connection string
        said = _secretless(str(error)).splitlines()[0]
        todo = "Check host, port, user, schema, and the password in PROBESHEETS_PASSWORD."
        if "TLS" in said:
            todo = (
                "The password is sent with TLS only, to a server whose certificate is trusted; SSL_CERT_FILE names a "
                f"file of others. Or, on a network that you trust: --source {_without_password(url)}?tls=off"
            )
        raise ProbesheetsError(f"{_without_password(url)} cannot be read: {said}\n{todo}") from None


def _place(url: str) -> tuple[SplitResult, str]:
    """The parts of a URL, and the schema that it names."""
    if ":" in url.partition("://")[2].rpartition("@")[0] or _PASSWORD.search(unquote(url)):
        raise ProbesheetsError("Leave the password out of --source, where others can see it: set PROBESHEETS_PASSWORD.")
    try:
        place = urlsplit(url)
        schema, _ = unquote(place.path.strip("/")), place.port
    except ValueError:
        place, schema = urlsplit(""), ""
    if place.scheme != "mysql" or not place.hostname or not schema or place.fragment:
        raise ProbesheetsError(
            f"--source {_without_password(url)} is not understood. Give a file, or mysql://user@host:port/schema."
        )
    if place.query not in ("", "tls=off"):
        name = re.split("[^a-zA-Z_-]", place.query)[0]
        raise ProbesheetsError(f"--source {_without_password(url)} has no option {name!r}. Valid: ?tls=off.")
    return place, schema


def _attach(connection: duckdb.DuckDBPyConnection, place: SplitResult, schema: str) -> None:
    """Attach the schema read-only as `server`, the password in a secret: an error in ATTACH would repeat it."""
    _load_extension(connection)
    parts = {
        "host": place.hostname,
        "port": str(place.port or 3306),
        "user": unquote(place.username or ""),
        "password": os.environ.get("PROBESHEETS_PASSWORD", ""),
        "database": schema,
        # without it, TLS is used if the server offers it
        "ssl_mode": "" if place.query or _THIS_MACHINE.fullmatch(str(place.hostname)) else "required",
    }
    options = ", ".join(f"{name} {_literal(value)}" for name, value in parts.items() if value)
    connection.execute(f"create temporary secret source_server (type mysql, {options})")
    connection.execute("attach '' as server (type mysql, secret source_server, read_only)")


def _load_extension(connection: duckdb.DuckDBPyConnection) -> None:
    """The extension from its Python package, so that no download is needed; else DuckDB's own way to get it."""
    try:
        from duckdb_extension_mysql_scanner import __file__ as package
    except ImportError:
        connection.execute("install mysql; load mysql")
        return
    file = next(Path(package).parent.rglob("mysql_scanner.duckdb_extension"))
    connection.execute(f"load {_literal(str(file))}")


def _server_columns(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> list[str]:
    query = (
        "select column_name from information_schema.columns "
        f"where table_schema = {_literal(schema)} and table_name = {_literal(table)} order by ordinal_position"
    )
    return [str(row[0]) for row in _ask(connection, query)]


def _ask(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute("select * from mysql_query('server', ?)", [query]).fetchall()


def _copy_table(connection: duckdb.DuckDBPyConnection, url: str, schema: str, table: str, columns: list[str]) -> int:
    """Every column as the text that the server makes of it, so that floats and dates read as they do there."""
    relation = f"{_quoted(schema)}.{_quoted(table)}"
    sizes = " + ".join(f"ifnull(length({_quoted(name)}), 0)" for name in columns)
    query = f"select sum({sizes}) from (select * from {relation} limit {CHUNK_ROWS}) as some"
    check_size(Path(f"{schema}.{table}"), float(_ask(connection, query)[0][0] or 0))
    texts = ", ".join(f"convert({_quoted(name)} using utf8mb4) as {_quoted(name)}" for name in columns)
    query = f"select {texts} from {relation}"
    return _keep(connection, f"mysql_query('server', {_literal(query)})", columns, table, _without_password(url))


# --- the copy


def _keep(connection: duckdb.DuckDBPyConnection, relation: str, names: list[str], table: str, source: str) -> int:
    """Make main.`table` of a relation of texts, with typed ids; returns its rows."""
    columns = [_whole_number(name) if name.lower() in _WHOLE_NUMBERS else _text(name) for name in names]
    if table == "table_output" and "depth" not in [name.lower() for name in names]:
        columns.append("cast(null as bigint) as depth")
    statement = f"create or replace table main.{table} as select {', '.join(columns)} from {relation}"
    try:
        [(rows,)] = connection.execute(statement).fetchall()
    except duckdb.InvalidInputException as error:  # by error() in a column
        said = _secretless(str(error)).removeprefix("Invalid Input Error: ")
        raise ProbesheetsError(f"{source}: {said}") from None
    faults = connection.execute(
        f"select id, count(*) from main.{table} group by id having count(*) > 1 or id is null order by id limit 5"
    ).fetchall()
    if faults:
        listed = ", ".join("an empty id" if value is None else f"{value} ({count} times)" for value, count in faults)
        raise ProbesheetsError(f"{source}: ids must not repeat or be empty: {listed}.")
    return int(rows)


def _record_copy(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    """Where models have been built, the build log learns that they are of an earlier copy."""
    ours = "database_name = current_database() and schema_name = 'main' and table_name = ?"
    if connection.execute(f"select 1 from duckdb_tables() where {ours}", [LOG]).fetchall():
        row = [datetime.now(UTC).isoformat(), "copied", _without_password(source), "", ""]
        connection.execute(
            f"insert into main.{LOG} (recorded_at, event, subject, details, invocation_id) values (?, ?, ?, ?, ?)", row
        )


def _check_text_tag(connection: duckdb.DuckDBPyConnection, source: str, text_tag: str) -> None:
    counted = connection.execute(
        "select tag, count(*) from main.table_output group by tag order by 2 desc, 1"
    ).fetchall()
    if text_tag not in [tag for tag, _ in counted]:
        listed = ", ".join(f"{shown(str(tag))} ({count})" for tag, count in counted[:20])
        raise ProbesheetsError(
            f"{_without_password(source)}: no row has the tag {text_tag!r}, which text_tag names. "
            f"The tags that are there, with their rows: {listed}. Choose one: --vars '{{text_tag: ...}}'"
        )


def _whole_number(name: str) -> str:
    """The cast of an id column. Written forms of null and of whole floats (`17.0`, by pandas) are taken."""
    column = _quoted(name, '"')
    digits = f"try_cast(regexp_extract(trim({column}), '^(-?[0-9]+)(\\.0+)?$', 1) as bigint)"
    shown = f"regexp_replace(left({column}, 40), '[[:cntrl:]]', '?', 'g')"
    return (
        f"case when cast(try_cast({column} as bigint) as varchar) = {column} then cast({column} as bigint) "
        f"when {column} is null or trim({column}) in ('', 'NULL', '\\N') then null else coalesce({digits}, "
        f"cast(error(concat({_literal(name)}, ' ''', {shown}, ''' is not a whole number.')) as bigint)) end as {column}"
    )


def _text(name: str) -> str:
    """A column of texts, none of which is too long."""
    column, most = _quoted(name, '"'), longest()
    return (
        f"case when strlen({column}) > {most} then error(concat('the row with the id ', id, ' has ', "
        f"strlen({column}) // 1000000, ' MB in ', {_literal(name)}, '; {most // 10**6} MB are the most. "
        f"Shorten it, or run the command again with {more_memory()}.')) else {column} end as {column}"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str, mark: str = "`") -> str:
    return mark + name.replace(mark, 2 * mark) + mark


def _without_password(source: str) -> str:
    scheme, found, place = source.partition("://")
    user, at, host = re.split("[?#;]", place)[0].rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}{at}{host}" if found else source


def _secretless(message: str) -> str:
    password = os.environ.get("PROBESHEETS_PASSWORD")
    return message.replace(password, "***") if password else message
