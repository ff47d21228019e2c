"""Which records earlier exports into a folder have delivered: delivered.csv or, without it, the workbooks themselves.

A record is known by its Record ID, the first column of its kind. A fingerprint tells whether it has changed since.
"""

import shutil
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from exporter.folder import DELIVERED, Folder, sha256
from exporter.layout import Layout, units
from exporter.project import Kind

RECORDS = pa.schema(
    [
        ("kind", pa.string()),
        ("batch", pa.int64()),
        ("workbook", pa.string()),  # the value that names the record's file: a file_stem; empty for a kind of one file
        ("record_id", pa.string()),
        ("fingerprint", pa.int64()),  # -1: not known
    ]
)
_COMPARED = 16_000  # characters of a cell; a workbook shortens cells over twice that
_CUT_UNITS = 16_000  # UTF-16 units that a cell has at least, where its text goes on in a further row


def read(folder: Folder, kinds: Mapping[str, Kind]) -> tuple[pa.Table, str | None]:
    """The records that the folder's workbooks hold, and a message if they had to be read from the workbooks."""
    file, entry = folder.path / DELIVERED, folder.files.get(DELIVERED)
    if entry and file.is_file() and sha256(file) == entry["sha256"]:
        return load(file), None
    records = rebuild(folder, kinds)
    if not records.num_rows:
        return records, None
    state = "is not as it was written" if file.is_file() else "is missing"
    return records, f"{file} {state}: {records.num_rows:,} records were read from the workbooks instead."


def open_part(file: Path) -> pyarrow.csv.CSVWriter:
    """A file for the records of one kind while they are being written."""
    return pyarrow.csv.CSVWriter(file, RECORDS, write_options=_written(header=False))


def write(file: Path, records: pa.Table, parts: Iterable[Path]) -> None:
    """Write the records that a folder's workbooks will hold: those that stay, and those of each part."""
    pyarrow.csv.write_csv(records, file, _written(header=True))
    with file.open("ab") as whole:
        for part in parts:
            with part.open("rb") as stream:
                shutil.copyfileobj(stream, whole)


def _written(*, header: bool) -> pyarrow.csv.WriteOptions:
    return pyarrow.csv.WriteOptions(include_header=header, quoting_style="needed")


def load(file: Path) -> pa.Table:
    convert = pyarrow.csv.ConvertOptions(column_types=RECORDS, strings_can_be_null=False)
    return pyarrow.csv.read_csv(
        file, parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True), convert_options=convert
    )


# --- fingerprints


def fingerprints(rows: pa.RecordBatch, layout: Layout) -> pa.Array:
    """A number for each row, from the long text if the kind has one, else from all cells.

    CRC-32: it has to show a change, not to withstand an adversary, and is three times as fast as a hash that does.
    """
    if layout.long_text:
        return _checksums(_as_text(rows.column(layout.long_text)))
    cells = [_shown(_as_text(rows.column(column.name))) for column in layout.columns]
    separator = pa.scalar("\x1f", pa.large_string())
    return _checksums(pc.binary_join_element_wise(*cells, separator, null_handling="replace", null_replacement=""))


def _as_text(array: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_boolean(array.type):
        return pc.utf8_upper(array.cast(pa.large_string()))
    return array.cast(pa.large_string())


def _shown(array: pa.Array) -> pa.Array:
    if (pc.max(pc.binary_length(array)).as_py() or 0) <= _COMPARED:
        return array
    return pc.utf8_slice_codeunits(array, 0, _COMPARED)


def _checksums(array: pa.Array) -> pa.Array:
    _, offsets, data = array.buffers()
    bounds = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1].tolist()
    view = memoryview(data or b"")
    return pa.array([zlib.crc32(view[start:stop]) for start, stop in pairwise(bounds)], pa.int64())


# --- from the workbooks


def rebuild(folder: Folder, kinds: Mapping[str, Kind]) -> pa.Table:
    """The records of all workbooks of the folder's manifest that are there."""
    columns: dict[str, list[Any]] = {name: [] for name in RECORDS.names}
    for name, entry in folder.files.items():
        kind, file = kinds.get(entry["kind"]), folder.path / name
        if kind is None or not file.is_file():
            continue
        for record, fingerprint in _read_workbook(file, kind.layout):
            values = (kind.name, entry.get("batch", 1), entry.get("group") or "", record, fingerprint)
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
    return pa.table(columns, schema=RECORDS)


def _read_workbook(file: Path, layout: Layout) -> Iterator[tuple[str, int]]:
    """Each record of a workbook and its fingerprint; the further rows of a long text belong to their record."""
    from python_calamine import CalamineWorkbook

    header, *rows = CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0).to_python()
    headers = {column.name: column.header for column in layout.columns}
    long = headers.get(layout.long_text or "")
    if long is None:
        for row in rows:
            yield _cell(row[0]), zlib.crc32("\x1f".join(_cell(cell)[:_COMPARED] for cell in row).encode())
        return
    if long not in header:
        yield from ((_cell(row[0]), -1) for row in rows)
        return
    place, record, pieces = header.index(long), "", list[str]()
    for row in rows:
        if pieces and row[0] == f"{record}-{len(pieces) + 1}" and units(pieces[-1]) > _CUT_UNITS:
            pieces.append(str(row[place]))
            continue
        if pieces:
            yield record, zlib.crc32("".join(pieces).encode())
        record, pieces = str(row[0]), [str(row[place])]
    if pieces:
        yield record, zlib.crc32("".join(pieces).encode())


def _cell(cell: Any) -> str:
    """What a cell was before it was written: numbers are read as floats."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, date):
        return (cell.date() if isinstance(cell, datetime) else cell).isoformat()
    return "" if cell is None else str(cell)
