"""Where the models are: rows as tuples or streams of Arrow record batches. All SQL of the exporter goes through it."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from probesheets.errors import ProbesheetsError

BATCH_ROWS = 2_048  # as DuckDB makes them; larger ones are slower and take more memory
BATCH_BYTES = 8 << 20  # of texts, about
FEW_ROWS = 32  # where rows may be of any length
SORTING = 0.3  # of the memory, for two sorts at a time: beyond it, DuckDB sorts in files beside the database


class NotBuiltError(ProbesheetsError):
    """A relation that is not there."""


class Warehouse(Protocol):
    """A connection to the models of one target, in the quoted `schema`; `quote` is its mark around identifiers."""

    quote: str
    schema: str

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""

    def batches(self, query: str) -> Iterator[pa.RecordBatch]:
        """A result of any size, in batches; each call reads over a connection of its own, so threads may share this."""

    def columns(self, relation: str) -> list[str]:
        """The columns of a quoted relation. Raises NotBuiltError if it is not there."""

    def close(self) -> None: ...


def select(
    warehouse: Warehouse,
    relation: str,
    columns: Sequence[str],
    *,
    file_stems: Sequence[str] | None = None,
    order_by: Sequence[str] = (),
) -> str:
    """A query for columns of a quoted relation, of some probes only if `file_stems` is given, nulls last."""

    def quoted(name: str) -> str:
        return warehouse.quote + name.replace(warehouse.quote, 2 * warehouse.quote) + warehouse.quote

    query = f"select {', '.join(map(quoted, columns))} from {relation}"
    if file_stems is not None:
        # stems are ASCII letters, digits and hyphens by their rule: nothing of a probe reaches SQL
        listed = ", ".join(f"'{stem}'" for stem in file_stems if stem.replace("-", "").isalnum())
        query += f" where {quoted('file_stem')} in ({listed})"
    if order_by:
        query += " order by " + ", ".join(f"{quoted(name)} is null, {quoted(name)}" for name in order_by)
    return query


def open_warehouse(target: str, root: Path) -> Warehouse:
    """The warehouse of a target of profiles.yml. Raises ProbesheetsError if it cannot be reached."""
    return DuckDB(database_file(root)) if target == "duckdb" else Server(target)


def building_alone(target: str) -> AbstractContextManager[None]:
    """Held by a `run` from before it builds until it has exported. A DuckDB file is open for one process at a time."""
    return nullcontext() if target == "duckdb" else Server(target).alone()


def database_file(root: Path) -> Path:
    """The DuckDB file: PROBESHEETS_DUCKDB, relative to the project as for dbt, or probesheets.duckdb in it."""
    return root / os.path.expanduser(os.environ.get("PROBESHEETS_DUCKDB", "probesheets.duckdb"))  # noqa: PTH111 (never fails)


def memory() -> int:
    """PROBESHEETS_MEMORY in bytes: what DuckDB may take in a build. Raises ProbesheetsError if it is no size."""
    text = os.environ.get("PROBESHEETS_MEMORY") or "2GB"
    size = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?(MB|GB|TB)", text, re.IGNORECASE)
    found = float(size[1]) * {"M": 1e6, "G": 1e9, "T": 1e12}[size[2][0].upper()] if size else 0
    if found < 5e8:
        raise ProbesheetsError(
            f"PROBESHEETS_MEMORY must be a size such as 2GB or 600MB, and at least 500MB; it is {text!r}."
        )
    return int(found)


def more_memory() -> str:
    """What to set where it was too little."""
    return f"PROBESHEETS_MEMORY={2 * memory() / 1e9:g}GB"


def schemas() -> tuple[str, str]:
    """A server's schema that holds the source, and the one for the models, as in profiles.yml."""
    return (
        os.environ.get("PROBESHEETS_SOURCE_SCHEMA", "gpt_experiments"),
        os.environ.get("PROBESHEETS_SCHEMA", "probesheets"),
    )


class DuckDB:
    """A DuckDB file, opened for reading only."""

    quote = '"'
    schema = "main"

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise ProbesheetsError(f"There is no database {file} yet. Run: probesheets run")
        try:
            self._connection = duckdb.connect(str(file), read_only=True)
        except duckdb.Error as error:
            raise ProbesheetsError(
                f"{file} cannot be read: {str(error).splitlines()[0]}\n"
                "If a build or another program is using it, wait for it to end, and type the command again."
            ) from None
        self._connection.execute(f"set memory_limit = '{memory() * SORTING / 1e6:.0f}MB'")
        self._connection.execute("set arrow_large_buffer_size = true")  # a batch may hold over 2 GB of text

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor; what is under way when Ctrl-C comes is ended, for closing would wait for it."""
        with closing(self._connection.cursor()) as cursor:
            try:
                yield cursor
            except (duckdb.CatalogException, duckdb.BinderException) as error:
                raise ProbesheetsError(
                    f"The models are not as this project has them: {str(error).splitlines()[0]}\nRun: probesheets run"
                ) from None
            except (duckdb.Error, OSError) as error:  # a reader of Arrow gives an OSError
                raise ProbesheetsError(
                    f"DuckDB stopped reading: {str(error).splitlines()[0]}\n"
                    f"Make room on the disk, or run the command again with {more_memory()} or PROBESHEETS_WORKERS=1."
                ) from None
            except (KeyboardInterrupt, RuntimeError):
                cursor.interrupt()
                raise

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._cursor() as cursor:
            return cursor.execute(query).fetchall()

    def batches(self, query: str) -> Iterator[pa.RecordBatch]:
        with self._cursor() as cursor:
            try:
                reader = cursor.execute(query).to_arrow_reader(BATCH_ROWS)
                first = next(iter(reader), None)
            except duckdb.OutOfMemoryException:
                # long texts take more to sort
                cursor.execute(f"set memory_limit = '{memory() / 1e6:.0f}MB'")
                reader = cursor.execute(query).to_arrow_reader(BATCH_ROWS // 8)
                first = next(iter(reader), None)
            if first is not None:
                yield first
                yield from reader

    def columns(self, relation: str) -> list[str]:
        try:
            with closing(self._connection.cursor()) as cursor:
                return [str(row[0]) for row in cursor.execute(f"describe {relation}").fetchall()]
        except (duckdb.CatalogException, duckdb.BinderException):  # no table, or another file's name before it
            raise _not_built(relation, "duckdb") from None

    def close(self) -> None:
        self._connection.close()


class Server:
    """A MariaDB or MySQL server, named by the same environment variables as in profiles.yml."""

    quote = "`"

    def __init__(self, target: str) -> None:
        self._target, self.schema = target, "`" + schemas()[1].replace("`", "``") + "`"
        try:
            import mysql.connector
        except ImportError:
            raise ProbesheetsError(
                f"Target {target} needs dbt-mysql, which wants an environment of its own. Run: make .venv-mysql\n"
                "or, in a new virtual environment: pip install '.[mysql]'"
            ) from None
        self._error: type[Exception] = mysql.connector.Error
        self._connect = mysql.connector.connect
        self._open().close()  # what is wrong with host, user or password is said now

    def _open(self) -> Any:
        host, port = os.environ.get("PROBESHEETS_HOST", "127.0.0.1"), os.environ.get("PROBESHEETS_PORT", "3306")
        if not port.isdecimal():
            raise ProbesheetsError(f"PROBESHEETS_PORT must be a number, such as 3306, and not {port!r}.")
        user, password = os.environ.get("PROBESHEETS_USER", "probesheets"), os.environ.get("PROBESHEETS_PASSWORD", "")
        try:
            return self._connect(
                host=host,
                port=int(port),
                user=user,
                password=password,
                charset="utf8mb4",
                collation="utf8mb4_general_ci",  # the connector's own choice is not known to every MariaDB
                autocommit=True,
                # for the lock that a run holds, and for a query whose rows are waited for by a slow disk
                init_command="set session wait_timeout = 2147483, net_write_timeout = 3600",
            )
        except self._error as error:
            silent = getattr(error, "errno", None) in (2002, 2003, 2005)  # nothing listens there, or no such host
            what = "does not answer" if silent else f"refuses user {user}"
            raise ProbesheetsError(
                f"The {self._target} server at {host}:{port} {what}: {error}\n"
                "Check PROBESHEETS_HOST, _PORT, _USER and _PASSWORD, and that the server runs."
            ) from None

    @contextmanager
    def _result(self, query: str, connection: Any = None) -> Iterator[Any]:
        """The cursor of a query, on a connection of its own: none is idle while another query's rows are read.

        It is unbuffered: the server keeps what has not been fetched.
        """
        with nullcontext(connection) if connection else closing(self._open()) as used:
            cursor = None
            try:
                cursor = used.cursor()
                cursor.execute(query)
                yield cursor
            except self._error as error:
                raise ProbesheetsError(
                    f"The {self._target} server stopped answering: {error}\n"
                    "The files of earlier exports are as they were. When the server runs, type the command again."
                ) from None
            finally:
                with suppress(self._error):  # that rows are left which nobody wants
                    if cursor:
                        cursor.close()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._result(query) as cursor:
            return list(cursor.fetchall())

    def attempt(self, statement: str) -> str | None:
        """Execute a statement that returns nothing; what the server says if it refuses."""
        try:
            with closing(self._open()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute(statement)
        except self._error as error:
            return str(error)
        return None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep any other `run` from building in the schema. Raises ProbesheetsError, naming it, if there is one."""
        lock = "probesheets " + sha256(self.schema.encode()).hexdigest()[:16]
        with closing(self._open()) as connection:
            with self._result(f"select get_lock('{lock}', 0), is_used_lock('{lock}')", connection) as cursor:
                [(got, holder)] = cursor.fetchall()
            if got != 1:
                raise ProbesheetsError(
                    f"Another `probesheets run` is building in {self.schema}: connection {holder} of the server. Wait "
                    f"until it ends. If nobody runs it any more, end that connection on the server: kill {holder}"
                )
            yield

    def batches(self, query: str) -> Iterator[pa.RecordBatch]:
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
            if re.search("(1044|1049|1142|1146) ", str(error)):  # no such schema or table, or none for this user
                raise _not_built(relation, self._target) from None
            raise

    def close(self) -> None:
        """Nothing is open between two queries."""


def _some_rows(cursor: Any) -> list[tuple[Any, ...]]:
    """The next rows of a result, some of which may be long."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    while size < BATCH_BYTES and len(rows) < BATCH_ROWS and (few := cursor.fetchmany(min(FEW_ROWS, BATCH_ROWS))):
        rows += few
        size += sum(len(value) for row in few for value in row if isinstance(value, str))
    return rows


def _array(name: str, kind: pa.DataType, values: tuple[Any, ...]) -> pa.Array:
    try:
        return pa.array(values, kind)
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        found = next(type(value).__name__ for value in values if value is not None)
        raise ProbesheetsError(
            f"Column {name} is of type {found}; a sheet takes text, integers and dates. Cast it in the model."
        ) from None


def _arrow_type(code: int) -> pa.DataType:
    from mysql.connector import FieldType

    if code in (FieldType.TINY, FieldType.SHORT, FieldType.INT24, FieldType.LONG, FieldType.LONGLONG):
        return pa.int64()
    return pa.date32() if code in (FieldType.DATE, FieldType.NEWDATE) else pa.large_string()


def _not_built(relation: str, target: str) -> NotBuiltError:
    return NotBuiltError(f"{relation} has not been built. Run: probesheets run --target {target}")
