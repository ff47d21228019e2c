"""Copy table_output from a MySQL or MariaDB server of any version, through DuckDB's mysql extension."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import duckdb

from probesheets.errors import ProbesheetsError
from probesheets.source.files import check_columns, check_size
from probesheets.sql import literal, quoted
from probesheets.warehouse.base import CHUNK_ROWS
from probesheets.warehouse.server import login_advice

_PASSWORD = re.compile("(?i)(pass[^/?&#=]*|pwd|pw|secret)=")
_THIS_MACHINE = re.compile(r"localhost|127(\.[0-9]+){3}|::1")
Keep = Callable[[str, list[str], str], int]  # (relation of texts, its columns, name of the table) -> rows


def copy_server(connection: duckdb.DuckDBPyConnection, url: str, tables: dict[str, tuple[str, ...]], keep: Keep) -> int:
    """Give `keep` each of the `tables` (with their required columns) that the server has; returns the first one's rows.

    Every column is the text that the server makes of it, so floats and dates read as they do there. Nothing is
    filtered on the server. Raises ProbesheetsError if the first table is missing or the server cannot be read.
    """
    place, schema = _parse(url)
    copied: list[int] = []
    with _readable(url):
        _attach(connection, place)
        for table, required in tables.items():
            found = _columns(connection, schema, table)
            if found:
                names = check_columns(Path(f"{schema}.{table}"), found, required)
                columns = list(required) if copied else names  # the server ignores case in the names
                copied.append(keep(_relation(connection, schema, table, columns), columns, table))
            elif not copied:
                query = f"from information_schema.tables where table_name = {literal(table)} order by 1"
                schemas = _ask(connection, f"select convert(table_schema using utf8mb4) {query}")
                others = ", ".join(str(row[0]) for row in schemas) or "none"
                raise ProbesheetsError(
                    f"{without_password(url)}: there is no {table} in {schema}, or the user cannot read it.\n"
                    f"Check the schema in --source. Schemas with a {table} that this user can read: {others}."
                )
    return copied[0]


@contextmanager
def _readable(url: str) -> Iterator[None]:
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
                f"--source {without_password(url)}?tls=off"
            )
        raise ProbesheetsError(f"{without_password(url)} cannot be read: {said}\n{todo}") from None


def _parse(url: str) -> tuple[SplitResult, str]:
    """The parts of a URL, and the schema that it names."""
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
        raise ProbesheetsError(
            f"--source {without_password(url)} is not valid. Give a file, or mysql://user@host:port/schema."
        )
    if place.query not in ("", "tls=off"):
        name = re.split("[^a-zA-Z_-]", place.query)[0]
        raise ProbesheetsError(f"--source {without_password(url)} has no option {name!r}. Valid: ?tls=off.")
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


def _columns(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> list[str]:
    query = (
        "select column_name from information_schema.columns "
        f"where table_schema = {literal(schema)} and table_name = {literal(table)} order by ordinal_position"
    )
    return [str(row[0]) for row in _ask(connection, query)]


def _ask(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute("select * from mysql_query('server', ?)", [query]).fetchall()


def _relation(connection: duckdb.DuckDBPyConnection, schema: str, table: str, columns: list[str]) -> str:
    source = f"{quoted(schema, '`')}.{quoted(table, '`')}"
    sizes = " + ".join(f"ifnull(length({quoted(name, '`')}), 0)" for name in columns)
    query = f"select sum({sizes}) from (select * from {source} limit {CHUNK_ROWS}) as some"
    check_size(Path(f"{schema}.{table}"), float(_ask(connection, query)[0][0] or 0))
    texts = ", ".join(f"convert({quoted(name, '`')} using utf8mb4) as {quoted(name, '`')}" for name in columns)
    return f"mysql_query('server', {literal(f'select {texts} from {source}')})"


def without_password(source: str) -> str:
    """A source as messages may show it."""
    scheme, found, place = source.partition("://")
    user, at, host = re.split("[?#;]", place)[0].rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}{at}{host}" if found else source


def hide_password(message: str) -> str:
    """A message of a library without the password of the environment."""
    password = os.environ.get("PROBESHEETS_PASSWORD")
    return message.replace(password, "***") if password else message
