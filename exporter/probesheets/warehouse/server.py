"""The models on a MariaDB or MySQL server."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from probesheets.errors import ProbesheetsError
from probesheets.settings import how_to_install, setting
from probesheets.sql import quoted
from probesheets.warehouse.base import NotBuiltError

if TYPE_CHECKING:  # it takes a while to import
    import pyarrow as pa

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

    def stream(self, query: str) -> "Iterator[pa.RecordBatch]":
        from probesheets.warehouse.batches import record_batches

        with self._result(query) as cursor:
            yield from record_batches(cursor)

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
