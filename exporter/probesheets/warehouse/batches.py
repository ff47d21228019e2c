"""The rows that a server sends, as record batches."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from probesheets.errors import ProbesheetsError
from probesheets.warehouse.base import CHUNK_ROWS

CHUNK_BYTES = 8 << 20  # of text in a record batch, approximately
FEW_ROWS = 32  # fetched at a time, because rows may be of any length


def record_batches(cursor: Any) -> Iterator[pa.RecordBatch]:
    """The rows of a cursor of mysql-connector, some at a time."""
    names = [column[0] for column in cursor.description]
    types = [_arrow_type(column[1]) for column in cursor.description]
    while rows := _some_rows(cursor):
        columns = zip(names, types, zip(*rows, strict=True), strict=True)
        yield pa.RecordBatch.from_arrays([_array(*column) for column in columns], names=names)


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
            f"Column {name} is of type {found}; a sheet can hold text, numbers and dates. Cast it in the model."
        ) from None


def _arrow_type(code: int) -> pa.DataType:
    from mysql.connector import FieldType

    if code in (FieldType.TINY, FieldType.SHORT, FieldType.INT24, FieldType.LONG, FieldType.LONGLONG):
        return pa.int64()
    if code == FieldType.DOUBLE:
        return pa.float64()
    return pa.date32() if code in (FieldType.DATE, FieldType.NEWDATE) else pa.large_string()
