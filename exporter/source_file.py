"""A CSV or Parquet file as batches of text: every column as it is written, nothing guessed."""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from exporter.errors import ProbesheetsError, shown

_ROWS_AT_ONCE = 20_000
_DELIMITERS = (",", ";", "\t", "|")


def read_batches(path: Path, required: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """The rows of a file, at least one batch. Raises ProbesheetsError for anything wrong with it."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else f"is not a file (looked for {path.absolute()})"
        raise ProbesheetsError(f"{path} {what}. --source and --experiments take a CSV or a Parquet file.")
    if path.stat().st_size == 0:
        raise ProbesheetsError(f"{path} is empty. It should hold the columns {', '.join(required)}.")
    batches = _parquet_batches(path) if path.suffix.lower() in (".parquet", ".pq") else _csv_batches(path, required)
    for batch in batches:
        check_columns(path, batch.schema.names, required)
        yield batch


def _parquet_batches(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        file = pyarrow.parquet.ParquetFile(path)
        texts = pa.schema([(name, pa.string()) for name in file.schema_arrow.names])
        yield pa.RecordBatch.from_pylist([], schema=texts)
        for batch in file.iter_batches(_ROWS_AT_ONCE):
            yield batch.cast(texts)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise ProbesheetsError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from None


def _csv_batches(path: Path, required: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """Every field as it is written (RFC 4180), the delimiter being the one that the header uses."""
    csv.field_size_limit(2**31 - 1)
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            reader = csv.reader(file, strict=True, delimiter=max(_DELIMITERS, key=head.count))
            header = [name.strip() for name in next(reader)]
            check_columns(path, header, required)
            yield _batch(header, [])
            while rows := list(islice(reader, _ROWS_AT_ONCE)):
                for row in rows:
                    if len(row) != len(header) and row:
                        raise ProbesheetsError(
                            f"{path}: a row that ends before line {reader.line_num + 1} has {len(row)} fields, "
                            f"the header has {len(header)}. It begins: {','.join(row)[:80]!r}"
                        )
                line = reader.line_num
                yield _batch(header, [row for row in rows if row])
    except UnicodeDecodeError as error:
        with path.open("rb") as stream:
            workbook = stream.read(2) == b"PK"
        what = (
            "is an Excel workbook, not a CSV file"
            if workbook
            else f"is not UTF-8 (byte 0x{error.object[error.start]:02X} after line {line})"
        )
        raise ProbesheetsError(f"{path} {what}. Save it as UTF-8, in Excel: Save as, CSV UTF-8.") from None
    except OSError as error:
        raise ProbesheetsError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (csv.Error, StopIteration) as error:
        raise ProbesheetsError(
            f"{path} is not a proper CSV file, after line {line}: {error}. "
            "Fields with quotes, delimiters or line breaks must be quoted, and quotes in them doubled."
        ) from None


def _batch(header: list[str], rows: list[list[str]]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if rows else [()] * len(header)
    return pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in columns], names=header)


def check_columns(path: Path, found: list[str], required: tuple[str, ...]) -> None:
    """Raises ProbesheetsError for columns that are missing, there twice, or not to be named in a database."""
    missing = [name for name in required if name not in found]
    if odd := [name for name in found if "\0" in name]:  # DuckDB would end the name there
        raise ProbesheetsError(f"{path}: the name of the column {odd[0][:40]!r} holds a NUL character. Correct it.")
    lower = [name.lower() for name in found]  # databases do not tell capitals apart in the names of columns
    repeated = sorted({name for name in found if lower.count(name.lower()) > 1})
    if missing:
        raise ProbesheetsError(
            f"{path} has no column {', '.join(missing)}. Found: {', '.join(shown(name[:40]) for name in found[:30])}."
        )
    if repeated:
        raise ProbesheetsError(
            f"{path} has the column {', '.join(map(shown, repeated))} more than once. Keep one of them."
        )
