"""The models in a DuckDB file."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from filelock import FileLock, Timeout

from probesheets.errors import ProbesheetsError
from probesheets.settings import memory, more_memory
from probesheets.sql import quoted
from probesheets.warehouse.base import CHUNK_ROWS, NotBuiltError

if TYPE_CHECKING:  # it takes a while to import
    import pyarrow as pa

SORTING = 0.3  # of the memory, for two sorts at a time; beyond it, DuckDB sorts in temporary files


def open_file(file: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file. Raises ProbesheetsError if that fails; it names the program that has locked the file."""
    try:
        return duckdb.connect(str(file), read_only=read_only)
    except duckdb.Error as error:
        what = f"cannot be {'read' if read_only else 'opened for writing'}: {str(error).splitlines()[0]}"
        todo = "Set PROBESHEETS_DUCKDB to another file."
        if holder := re.search(r"(?:held|open) in\s+(.*\(PID [0-9]+\)|PID [0-9]+)", str(error)):
            what = f"is in use by another program: {holder[1]}"
            todo = "Close that program, or wait until it ends. Then run the same command again."
        raise ProbesheetsError(f"{file} {what}\n{todo}") from None


class DuckDB:
    """The models in the quoted `schema` of a DuckDB file, opened read-only; `quote` encloses identifiers."""

    quote = '"'

    def __init__(self, file: Path, schema: str = "main") -> None:
        self.schema = quoted(schema)
        if not file.is_file():
            raise ProbesheetsError(f"The database {file} does not exist yet. Run: probesheets run")
        self._connection = open_file(file, read_only=True)
        self._prepare()

    def _prepare(self) -> None:
        self._connection.execute(f"set memory_limit = '{memory() * SORTING / 1e6:.0f}MB'")
        self._connection.execute("set arrow_large_buffer_size = true")  # a chunk may hold over 2 GB of text

    @staticmethod
    @contextmanager
    def lock(file: Path) -> Iterator[None]:
        """Keep other `run`s away from the file. DuckDB alone would let one in between the copy and the build."""
        try:
            with FileLock(f"{file}.lock", timeout=0):
                yield
        except Timeout:
            raise ProbesheetsError(f"Another `probesheets run` is using {file}. Wait until it ends.") from None

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor. Ctrl-C interrupts its query, because closing would wait for the query to end."""
        with closing(self._connection.cursor()) as cursor:
            try:
                yield cursor
            except (duckdb.CatalogException, duckdb.BinderException) as error:
                raise ProbesheetsError(
                    f"The models in the database do not match this project: {str(error).splitlines()[0]}\n"
                    "Run: probesheets run"
                ) from None
            except (duckdb.Error, OSError) as error:  # Arrow's reader raises OSError
                if re.search("No files found|No such file", str(error)):  # of Spark, which has dropped a table
                    raise ProbesheetsError(
                        "The models were rebuilt while they were being read. Run the same command again."
                    ) from None
                raise ProbesheetsError(
                    f"DuckDB stopped reading: {str(error).splitlines()[0]}\n"
                    f"Free some disk space, or run the command again with {more_memory()} or PROBESHEETS_WORKERS=1."
                ) from None
            except (KeyboardInterrupt, RuntimeError):
                cursor.interrupt()
                raise

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        with self._cursor() as cursor:
            return cursor.execute(query).fetchall()

    def stream(self, query: str) -> "Iterator[pa.RecordBatch]":
        """A result of any size, in chunks. Each call has its own connection, so threads may share this object."""
        with self._cursor() as cursor:
            try:
                reader = cursor.execute(query).to_arrow_reader(CHUNK_ROWS)
                first = next(iter(reader), None)
            except duckdb.OutOfMemoryException:
                # long texts take more memory to sort
                cursor.execute(f"set memory_limit = '{memory() / 1e6:.0f}MB'")
                reader = cursor.execute(query).to_arrow_reader(CHUNK_ROWS // 8)
                first = next(iter(reader), None)
            if first is not None:
                yield first
                yield from reader

    def columns(self, relation: str) -> list[str]:
        """The columns of a quoted relation. Raises NotBuiltError if it does not exist."""
        try:
            with closing(self._connection.cursor()) as cursor:
                return [str(row[0]) for row in cursor.execute(f"describe {relation}").fetchall()]
        except (duckdb.CatalogException, duckdb.BinderException):  # no table, or it begins with another file's name
            raise NotBuiltError(relation, "duckdb") from None

    def close(self) -> None:
        self._connection.close()
