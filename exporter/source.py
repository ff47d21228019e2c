"""The raw copy of the source in the DuckDB file: filled from a CSV or Parquet file, or from a server."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import duckdb
import pyarrow as pa

from exporter.builds import LOG
from exporter.errors import ProbesheetsError, shown
from exporter.source_file import check_columns, read_batches

OUTPUT_COLUMNS = ("id", "experiment_id", "root_id", "tag", "probe", "content")
EXPERIMENT_COLUMNS = ("id", "model_name")
_WHOLE_NUMBERS = ("id", "experiment_id", "root_id", "depth")


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
            "The copy that was there is as it was. Make room, or name another file in PROBESHEETS_DUCKDB."
        ) from None


def _replace_copy(database: Path, source: str, experiments: Path | None, text_tag: str | None) -> str:
    with _connect(database) as connection:
        connection.begin()
        if "://" in source:
            loaded_experiments = _incoming_from_server(connection, source)
        else:
            _incoming_from_file(connection, Path(source), "incoming_output", OUTPUT_COLUMNS)
            loaded_experiments = False
        if experiments is not None:
            connection.execute("drop table if exists incoming_experiment")
            _incoming_from_file(connection, experiments, "incoming_experiment", EXPERIMENT_COLUMNS)
            loaded_experiments = True
        rows = _keep(connection, "incoming_output", "table_output", source)
        if text_tag is not None:
            _check_text_tag(connection, source, text_tag)
        connection.execute("drop table if exists main.table_experiment")
        if loaded_experiments:
            _keep(connection, "incoming_experiment", "table_experiment", str(experiments or source))
        _record_copy(connection, source)
        connection.commit()
    return f"Copied {rows:,} rows of table_output from {_without_password(source)}"


def _connect(database: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(database))
    except duckdb.Error as error:
        raise ProbesheetsError(
            f"{database} cannot be opened for writing: {str(error).splitlines()[0]}\n"
            "Close the program that uses it, or name another file in PROBESHEETS_DUCKDB."
        ) from None


# --- files


def _incoming_from_file(
    connection: duckdb.DuckDBPyConnection, path: Path, table: str, required: tuple[str, ...]
) -> None:
    """Create the temporary `table` with every column of the file as text."""
    created = False
    for batch in read_batches(path, required):
        connection.register("batch", pa.Table.from_batches([batch]))
        statement = f"insert into {table}" if created else f"create temp table {table} as"
        connection.execute(f"{statement} select * from batch")
        connection.unregister("batch")
        created = True


# --- servers


def _incoming_from_server(connection: duckdb.DuckDBPyConnection, url: str) -> bool:
    """Copy both tables as text, all rows, filtering nothing; true if there is a table_experiment."""
    if ":" in url.partition("://")[2].rpartition("@")[0]:
        raise ProbesheetsError("Leave the password out of --source, where others can see it: set PROBESHEETS_PASSWORD.")
    try:
        place = urlsplit(url)
        schema, port = unquote(place.path.strip("/")), place.port or 3306
    except ValueError:
        place, schema, port = urlsplit(""), "", 0
    if place.scheme != "mysql" or not place.hostname or not schema:
        raise ProbesheetsError(
            f"--source {_without_password(url)} is not understood. Give a file, or mysql://user@host:port/schema."
        )
    try:
        _attach(connection, place, port, schema)
        found = _server_columns(connection, schema, "table_output")
        if not found:
            raise ProbesheetsError(
                f"{_without_password(url)}: there is no table_output in {schema}, or the user may not read it."
            )
        check_columns(Path(f"{schema}.table_output"), found, OUTPUT_COLUMNS)
        _copy_table(connection, schema, "table_output", found, "incoming_output")
        experiment_columns = _server_columns(connection, schema, "table_experiment")
        if experiment_columns:
            check_columns(Path(f"{schema}.table_experiment"), experiment_columns, EXPERIMENT_COLUMNS)
            _copy_table(connection, schema, "table_experiment", list(EXPERIMENT_COLUMNS), "incoming_experiment")
        return bool(experiment_columns)
    except duckdb.Error as error:
        # the first line only: what follows may repeat the connection string
        raise ProbesheetsError(
            f"{_without_password(url)} cannot be read: {_secretless(str(error)).splitlines()[0]}\n"
            "Check host, port, user, schema, and the password in PROBESHEETS_PASSWORD."
        ) from None


def _attach(connection: duckdb.DuckDBPyConnection, place: Any, port: int, schema: str) -> None:
    """Attach the schema read-only as `server`, the password in a secret: an error in ATTACH would repeat it."""
    _load_extension(connection)
    parts = {
        "host": place.hostname,
        "port": str(port),
        "user": unquote(place.username or ""),
        "password": os.environ.get("PROBESHEETS_PASSWORD", ""),
        "database": schema,
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
    rows = connection.execute("select * from mysql_query('server', ?)", [query]).fetchall()
    return [str(row[0]) for row in rows]


def _copy_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str, columns: list[str], into: str) -> None:
    """Every column as the text that the server makes of it, so that floats and dates read as they do there."""
    texts = ", ".join(f"convert({_quoted(name)} using utf8mb4) as {_quoted(name)}" for name in columns)
    query = f"select {texts} from {_quoted(schema)}.{_quoted(table)}"
    connection.execute(f"create temp table {into} as select * from mysql_query('server', ?)", [query])


# --- the copy


def _keep(connection: duckdb.DuckDBPyConnection, incoming: str, table: str, source: str) -> int:
    """Check the ids of the temporary table `incoming`, make it main.`table` with typed ids; returns its rows."""
    names = [row[0] for row in connection.execute(f"describe {incoming}").fetchall()]
    [(rows,)] = connection.execute(f"select count(*) from {incoming}").fetchall()
    if table == "table_output" and not rows:
        raise ProbesheetsError(f"{_without_password(source)}: {table} has no rows.")
    selected = []
    for name in names:
        column = '"' + name.replace('"', '""') + '"'
        if name.lower() in _WHOLE_NUMBERS:
            column = _whole_number(connection, incoming, name, source)
        selected.append(column)
    if table == "table_output" and "depth" not in [name.lower() for name in names]:
        selected.append("cast(null as bigint) as depth")
    connection.execute(f"create or replace table main.{table} as select {', '.join(selected)} from {incoming}")
    connection.execute(f"drop table {incoming}")
    faults = connection.execute(
        f"select id, count(*) from main.{table} group by id having count(*) > 1 or id is null order by id limit 5"
    ).fetchall()
    if faults:
        listed = ", ".join("an empty id" if value is None else f"{value} ({count} times)" for value, count in faults)
        raise ProbesheetsError(f"{_without_password(source)}: ids must not repeat or be empty: {listed}.")
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


def _whole_number(connection: duckdb.DuckDBPyConnection, incoming: str, name: str, source: str) -> str:
    """The cast of an id column. Written forms of null and of whole floats (`17.0`, by pandas) are taken."""
    digits = f"regexp_replace(trim({name}), '\\.0+$', '')"
    null = f"{name} is null or trim({name}) in ('', 'NULL', '\\N')"
    bad = connection.execute(
        f"select {name} from {incoming} where not ({null}) and (try_cast({digits} as bigint) is null "
        f"or not regexp_matches({digits}, '^-?[0-9]+$')) limit 1"
    ).fetchone()
    if bad:
        raise ProbesheetsError(f"{_without_password(source)}: {name} {bad[0][:40]!r} is not a whole number.")
    return f"case when {null} then null else cast({digits} as bigint) end as {name}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _without_password(source: str) -> str:
    scheme, found, place = source.partition("://")
    user, at, host = place.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}{at}{host}" if found else source


def _secretless(message: str) -> str:
    password = os.environ.get("PROBESHEETS_PASSWORD")
    return message.replace(password, "***") if password else message
