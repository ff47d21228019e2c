"""Copy table_output from a MySQL or MariaDB server of any version, through DuckDB's mysql extension."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import duckdb

from probesheets.errors import ProbesheetsError, counted, hide_password
from probesheets.source.asked import Source
from probesheets.source.files import Rows
from probesheets.source.keep import keep
from probesheets.source.limits import check_names, check_size
from probesheets.source.shapes import TABLE_OUTPUT, Reading, Shape, all_tables, named_shape, read_shapes, read_table
from probesheets.sql import literal, quoted
from probesheets.warehouse.base import CHUNK_ROWS
from probesheets.warehouse.server import login_advice

_PASSWORD = re.compile("(?i)(pass[^/?&#=]*|pwd|pw|secret)=")
_THIS_MACHINE = re.compile(r"localhost|127(\.[0-9]+){3}|::1")


def copy_server(connection: duckdb.DuckDBPyConnection, source: Source) -> tuple[int, Reading, list[str]]:
    """Keep each table of the shape that a schema has: the shape that was asked for, else the one whose tables it has.

    Returns the number of rows of the first table, its reading, and a note on each other shape that the schema has.
    Every column is the text that the server makes of it, so floats and dates read as they do there. Nothing is filtered
    on the server. Raises ProbesheetsError if no shape fits, or the server cannot be read.
    """
    place, schema = _parse(source)
    copied: list[tuple[int, Reading]] = []
    with _readable(source):
        _attach(connection, place)
        tables = _columns(connection, schema)
        fitting = [shape for shape in read_shapes().values() if {*shape.required_tables} <= tables.keys()]
        shape = _chosen(connection, source, schema, fitting)
        for table in shape.tables:
            if table in tables:
                known = shape.tables[table]
                names = [name for name, is_binary in tables[table].items() if name.lower() in known or not is_binary]
                check_names(f"{schema}.{table}", names)
                reading = read_table(f"{schema}.{table}", shape, table, names)
                names = list(reading.columns.values()) if copied else names
                rows = Rows(_relation(connection, schema, table, names), names)
                copied.append((keep(connection, source, source.name, rows, table, reading), reading))
        notes = [
            f"The schema also has {other.first}, with {counted(_count(connection, schema, other.first), 'row')}. "
            f"To read it instead, add --shape {other.name}"
            for other in fitting
            if other != shape
        ]
    return *copied[0], notes


def _chosen(connection: duckdb.DuckDBPyConnection, source: Source, schema: str, fitting: list[Shape]) -> Shape:
    """The shape to read. table_output comes first: the others are later forms of the same database."""
    shapes = {shape.name: shape for shape in fitting}
    wanted = source.shape or (TABLE_OUTPUT if TABLE_OUTPUT in shapes or len(shapes) != 1 else fitting[0].name)
    if wanted in shapes:
        return shapes[wanted]
    if shapes and not source.shape:
        options = " or ".join(f"--shape {name}" for name in shapes)
        raise ProbesheetsError(f"{source.name} has the tables of more than one shape. Add {options}.")
    needed = named_shape(wanted).required_tables
    query = f"from information_schema.tables where table_name = {literal(needed[0])} order by 1"
    schemas = _ask(connection, f"select convert(table_schema using utf8mb4) {query}")
    others = ", ".join(str(row[0]) for row in schemas) or "none"
    instead = f"\nIt has the tables of: {', '.join(shapes)}." if shapes else ""
    raise ProbesheetsError(
        f"{source.name}: there is no {' or no '.join(needed)} in {schema}, or the user cannot read it.\n"
        f"Check the schema in --source. Schemas with a {needed[0]} that this user can read: {others}.{instead}"
    )


@contextmanager
def _readable(source: Source) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        # only the first line: the others may repeat the connection string
        said = hide_password(str(error)).splitlines()[0].rpartition('parameters "": ')[2]
        said = said.partition(" Attempted host")[0]
        todo = login_advice(said, "the {0}", " in --source")
        if "TLS" in said:
            todo = (
                "The password is only sent over TLS, to a server with a trusted certificate. To trust your own "
                "certificate, set SSL_CERT_FILE to its file. On a network that you trust: "
                f"--source {source.name}?tls=off"
            )
        raise ProbesheetsError(f"{source.name} cannot be read: {said}\n{todo}") from None


def _parse(source: Source) -> tuple[SplitResult, str]:
    """The parts of the URL, and the schema that it names."""
    url = source.place
    if ":" in url.partition("://")[2].rpartition("@")[0] or _PASSWORD.search(unquote(url)):
        raise ProbesheetsError(
            "Do not put the password into --source, where others can see it: set PROBESHEETS_PASSWORD."
        )
    try:
        place = urlsplit(url)
        schema, _ = unquote(place.path.strip("/")), place.port
    except ValueError:
        place, schema = urlsplit(""), ""
    if place.scheme not in ("mysql", "mariadb") or not place.hostname or not schema or place.fragment:
        raise ProbesheetsError(f"--source {source.name} is not valid. Give a file, or mysql://user@host:port/schema.")
    if place.query not in ("", "tls=off"):
        name = re.split("[^a-zA-Z_-]", place.query)[0]
        raise ProbesheetsError(f"--source {source.name} has no option {name!r}. Valid: ?tls=off.")
    return place, schema


def _attach(connection: duckdb.DuckDBPyConnection, place: SplitResult) -> None:
    """Attach the server read-only as `server`. The password goes into a secret: an error in ATTACH would repeat it."""
    _load_extension(connection)
    parts = {
        "host": place.hostname,
        "port": str(place.port or 3306),
        "user": unquote(place.username or ""),
        "password": os.environ.get("PROBESHEETS_PASSWORD", ""),
        # without it, TLS is used if the server offers it
        "ssl_mode": "" if place.query or _THIS_MACHINE.fullmatch(str(place.hostname)) else "required",
    }
    options = ", ".join(f"{name} {literal(value)}" for name, value in parts.items() if value)
    connection.execute(f"create temporary secret source_server (type mysql, {options})")
    connection.execute("attach '' as server (type mysql, secret source_server, read_only)")


def _load_extension(connection: duckdb.DuckDBPyConnection) -> None:
    """Load the extension from its Python package, so that nothing is downloaded; else as DuckDB does."""
    try:
        from duckdb_extension_mysql_scanner import __file__ as package
    except ImportError:
        connection.execute("install mysql; load mysql")
        return
    file = next(Path(package).parent.rglob("mysql_scanner.duckdb_extension"))
    connection.execute(f"load {literal(str(file))}")


def _columns(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, dict[str, bool]]:
    """The tables of all shapes in a schema: {table: {column: whether it is binary}}."""
    tables: dict[str, dict[str, bool]] = {table: {} for table in all_tables()}
    query = (
        "select convert(table_name using utf8mb4), column_name, data_type like '%blob' or data_type like '%binary' "
        "from information_schema.columns "
        f"where table_schema = {literal(schema)} and table_name in ({', '.join(map(literal, tables))}) "
        "order by table_name, ordinal_position"
    )
    for table, name, binary in _ask(connection, query):
        tables[str(table)][str(name)] = bool(binary)
    return {table: columns for table, columns in tables.items() if columns}


def _count(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> int:
    source = f"{quoted(schema, '`')}.{quoted(table, '`')}"
    return int(_ask(connection, f"select count(*) from {source}")[0][0])


def _ask(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"from mysql_query('server', {literal(query)})").fetchall()


def _relation(connection: duckdb.DuckDBPyConnection, schema: str, table: str, columns: list[str]) -> str:
    source = f"{quoted(schema, '`')}.{quoted(table, '`')}"
    sizes = " + ".join(f"ifnull(length({quoted(name, '`')}), 0)" for name in columns)
    query = f"select sum({sizes}) from (select * from {source} limit {CHUNK_ROWS}) as some"
    check_size(f"{schema}.{table}", float(_ask(connection, query)[0][0] or 0))
    texts = ", ".join(f"convert({quoted(name, '`')} using utf8mb4) as {quoted(name, '`')}" for name in columns)
    return f"mysql_query('server', {literal(f'select {texts} from {source}')})"
