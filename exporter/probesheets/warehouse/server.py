"""The models on a MariaDB or MySQL server."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from typing import Any

import pyarrow as pa

from probesheets.errors import ProbesheetsError
from probesheets.settings import how_to_install, setting
from probesheets.sql import quoted
from probesheets.warehouse.base import CHUNK_ROWS, NotBuiltError

CHUNK_BYTES = 8 << 20  # of text in a record batch, approximately
FEW_ROWS = 32  # fetched at a time, because rows may be of any length
HOW_TO_GRANT = (
    "Check PROBESHEETS_SCHEMA, or ask the administrator to create {0} and to grant ALL on it to this user.\n"
    "The server says: {1}"
)
_LOGIN = {  # what a server or the library says if a login fails, and what to do
    "[Uu]nknown .*host|Errno (-|8:|11001:)|getaddrinfo": "There is no such host. Check {host}{where}.",
    "Can't connect|[Tt]imed out": "Check {host} and {port}{where}, and make sure that the server is running.",
    "using password: NO": "PROBESHEETS_PASSWORD is not set. Set it, as in: export PROBESHEETS_PASSWORD=…",
    "Access denied": "Check {user}{where}, and the password in PROBESHEETS_PASSWORD.",
    "": "Check {host}, {port} and {user}{where}, and the password in PROBESHEETS_PASSWORD.",
}


class Server:
    """What DuckDB offers, for a MariaDB or MySQL server, named by the environment variables of profiles.yml."""

    quote = "`"

    def __init__(self, target: str) -> None:
        self._target = target
        self.schema = quoted(setting(target, "schema"), self.quote)
        try:
            import mysql.connector
        except ImportError:
            raise ProbesheetsError(how_to_install(target)) from None
        self._error: type[Exception] = mysql.connector.Error
        self._connect = mysql.connector.connect
        self._open().close()  # reports a wrong host, user or password now

    def _open(self) -> Any:
        host, port, user = (setting(self._target, name) for name in ("server", "port", "username"))
        others = {name: setting(self._target, name) for name in ("password", "charset", "collation")}
        if not (port.isdecimal() and 0 < int(port) < 65_536):
            raise ProbesheetsError(f"PROBESHEETS_PORT must be a number such as 3306; it is {port!r}.")
        try:
            return self._connect(
                host=host,
                port=int(port),
                user=user,
                **others,
                autocommit=True,
                # for the lock that a run holds, and for a query that waits for a slow disk
                init_command="set session wait_timeout = 2147483, net_write_timeout = 3600",
            )
        except self._error as error:
            silent = getattr(error, "errno", None) in (2002, 2003, 2005)  # nothing listens, or the host is unknown
            what = "does not answer" if silent else f"refuses user {user}"
            raise ProbesheetsError(
                f"The {self._target} server at {host}:{port} {what}: {error}\n"
                + login_advice(str(error), "PROBESHEETS_{1}")
            ) from None

    @contextmanager
    def _result(self, query: str) -> Iterator[Any]:
        """The unbuffered cursor of a query, on its own connection: the server keeps the rows not fetched yet."""
        with closing(self._open()) as connection:
            try:
                cursor = connection.cursor()
                cursor.execute(query)
                yield cursor
            except self._error as error:
                raise ProbesheetsError(
                    f"The {self._target} server stopped answering: {error}\n"
                    "Earlier exports are unchanged. When the server runs again, run the same command again."
                ) from None

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._result(query) as cursor:
            return list(cursor.fetchall())

    def attempt(self, statement: str) -> str | None:
        """Execute a statement that returns no rows; returns the server's message if it refuses."""
        try:
            with closing(self._open()) as connection:
                connection.cursor().execute(statement)
        except self._error as error:
            return str(error)
        return None

    def has_schema(self, schema: str) -> bool:
        """Whether the user can see a schema."""
        return (schema.lower(),) in self.rows("select lower(schema_name) from information_schema.schemata")

    @contextmanager
    def sole_builder(self) -> Iterator[None]:
        """Keep other `run`s from building in the schema. Raises ProbesheetsError, naming it, if one is building."""
        schema = setting(self._target, "schema")
        if not self.has_schema(schema) and (said := self.attempt(f"create schema {self.schema}")):
            raise ProbesheetsError(
                f"The user cannot build in the schema {schema}.\n{HOW_TO_GRANT.format(schema, said)}"
            )
        lock = "probesheets " + sha256(self.schema.encode()).hexdigest()[:16]
        with self._result(f"select get_lock('{lock}', 0), is_used_lock('{lock}')") as cursor:
            [(got, holder)] = cursor.fetchall()
            if got != 1:
                raise ProbesheetsError(
                    f"Another `probesheets run` is building in {self.schema}: connection {holder} of the server. Wait "
                    f"until it ends. If nobody is running it any more, run this SQL on the server: kill {holder}"
                )
            yield

    def stream(self, query: str) -> Iterator[pa.RecordBatch]:
        with self._result(query) as cursor:
            names = [column[0] for column in cursor.description]
            types = [_arrow_type(column[1]) for column in cursor.description]
            while rows := _some_rows(cursor):
                columns = zip(names, types, zip(*rows, strict=True), strict=True)
                yield pa.RecordBatch.from_arrays([_array(*column) for column in columns], names=names)

    def columns(self, relation: str) -> list[str]:
        try:
            return [str(row[0]) for row in self.rows(f"describe {relation}")]
        except ProbesheetsError as error:
            if re.search("(1044|1049|1142|1146) ", str(error)):  # missing, or hidden from this user
                raise NotBuiltError(relation, self._target) from None
            raise

    def close(self) -> None:
        """No connection is open between two queries."""


def login_advice(said: str, named: str, where: str = "") -> str:
    """What to do after a failed login. `named` is a text with {0} for `host`, `port` or `user`, or {1} for `HOST`."""
    advice = next(advice for pattern, advice in _LOGIN.items() if re.search(pattern, said))
    names = {name: named.format(name, name.upper()) for name in ("host", "port", "user")}
    return advice.format(where=where, **names)


def _some_rows(cursor: Any) -> list[tuple[Any, ...]]:
    """The next rows of a result; some may be long."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    while size < CHUNK_BYTES and len(rows) < CHUNK_ROWS and (few := cursor.fetchmany(min(FEW_ROWS, CHUNK_ROWS))):
        rows += few
        size += sum(len(value) for row in few for value in row if isinstance(value, str))
    return rows


def _array(name: str, kind: pa.DataType, values: tuple[Any, ...]) -> pa.Array:
    try:
        return pa.array(values, kind)
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        found = next(type(value).__name__ for value in values if value is not None)
        raise ProbesheetsError(
            f"Column {name} is of type {found}; a sheet can hold text, integers and dates. Cast it in the model."
        ) from None


def _arrow_type(code: int) -> pa.DataType:
    from mysql.connector import FieldType

    if code in (FieldType.TINY, FieldType.SHORT, FieldType.INT24, FieldType.LONG, FieldType.LONGLONG):
        return pa.int64()
    return pa.date32() if code in (FieldType.DATE, FieldType.NEWDATE) else pa.large_string()
