"""Read what a query of the user gives: any select that DuckDB runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from probesheets.errors import ProbesheetsError
from probesheets.source.files import Rows, as_texts, reading

QUERY = "query"  # the name of its shape


@contextmanager
def open_query(connection: duckdb.DuckDBPyConnection, file: Path) -> Iterator[Rows]:
    """The rows of a select statement. Raises ProbesheetsError if it cannot be read or run."""
    try:
        query = file.read_text(encoding="utf-8-sig").rstrip().removesuffix(";")
    except (OSError, UnicodeDecodeError) as error:
        raise ProbesheetsError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if not query.strip():
        raise ProbesheetsError(f"{file} is empty. It must contain one select statement.")
    with reading(lambda said: _not_run(file, said)):
        yield as_texts(connection, f"({query}\n)")._replace(shape=QUERY, why="because --query names it")


def _not_run(file: Path, said: str) -> ProbesheetsError:
    advice = "\nThe file must contain one select statement." if said.startswith("Parser Error") else ""
    return ProbesheetsError(f"{file}: DuckDB cannot run the query: {said}{advice}")
