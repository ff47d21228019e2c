"""What a warehouse offers: rows as tuples, or streams of Arrow record batches. All queries go through it."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import pyarrow as pa

from probesheets.errors import ProbesheetsError
from probesheets.sql import quoted

CHUNK_ROWS = 2_048  # that DuckDB works on together; larger record batches are slower and take more memory


class NotBuiltError(ProbesheetsError):
    """A relation does not exist."""


class Warehouse(Protocol):
    """A connection to the models of one target, in the quoted `schema`; `quote` encloses identifiers."""

    quote: str
    schema: str

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""

    def stream(self, query: str) -> Iterator[pa.RecordBatch]:
        """A result of any size, in chunks. Each call has its own connection, so threads may share this object."""

    def columns(self, relation: str) -> list[str]:
        """The columns of a quoted relation. Raises NotBuiltError if it does not exist."""

    def close(self) -> None: ...


def select(
    warehouse: Warehouse,
    relation: str,
    columns: Sequence[str],
    *,
    file_stems: Sequence[str] | None = None,
    order_by: Sequence[str] = (),
) -> str:
    """A query for columns of a quoted relation; only for some probes if `file_stems` is given; nulls come last."""

    mark = warehouse.quote
    query = f"select {', '.join(quoted(name, mark) for name in columns)} from {relation}"
    if file_stems is not None:
        # file_stems are ASCII letters, digits and hyphens: no text of a probe gets into the SQL
        listed = ", ".join(f"'{stem}'" for stem in file_stems if stem.replace("-", "").isalnum())
        query += f" where {quoted('file_stem', mark)} in ({listed})"
    if order_by:
        query += " order by " + ", ".join(f"{quoted(name, mark)} is null, {quoted(name, mark)}" for name in order_by)
    return query


def not_built(relation: str, target: str) -> NotBuiltError:
    return NotBuiltError(f"{relation} has not been built. Run: probesheets run --target {target}")
