"""Record batches of text, as a relation of DuckDB."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import duckdb
import pyarrow as pa

import probesheets.pyarrow_setup  # noqa: F401


def text_batch(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> pa.RecordBatch:
    """Rows as a record batch of texts."""
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in columns], names=names)


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, batches: Iterable[pa.RecordBatch]) -> Iterator[None]:
    """Record batches as the relation `incoming`. An error of the iterator is raised, not what DuckDB makes of it."""
    failed: list[BaseException] = []

    def read() -> Iterator[pa.RecordBatch]:
        try:
            for batch in batches:
                if failed:  # Ctrl-C: DuckDB would read to the end
                    return
                yield batch
        except BaseException as error:
            failed.append(error)
            raise

    rest = read()
    first = next(rest)
    connection.register("incoming", pa.RecordBatchReader.from_batches(first.schema, chain([first], rest)))
    try:
        yield
    except BaseException as error:
        failed.append(error)
        if failed[0] is error:
            raise
        raise failed[0] from None
    finally:
        connection.unregister("incoming")
