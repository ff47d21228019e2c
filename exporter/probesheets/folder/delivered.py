"""The records that earlier exports into a folder delivered, from delivered.csv or else from the workbooks.

The Record ID, the first column of its kind, identifies a record. A fingerprint shows whether it has changed since.
"""

import shutil
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from probesheets.errors import ProbesheetsError, counted
from probesheets.folder.hashes import hash_of, linked
from probesheets.folder.manifest import DELIVERED, Entry
from probesheets.folder.publish import Folder
from probesheets.pages.read import read_page
from probesheets.plain_text.lines import read_lines
from probesheets.project.kinds import Kind
from probesheets.refi_qda.read import read_records
from probesheets.workbooks.cells import as_text
from probesheets.workbooks.layout import Layout, units

RECORDS = pa.schema(
    [
        ("kind", pa.string()),
        ("batch", pa.int64()),
        ("workbook", pa.string()),  # the group that names the file, such as a file_stem; empty for a kind with one file
        ("record_id", pa.string()),
        ("fingerprint", pa.int64()),  # or UNKNOWN
    ]
)
# by the ending of a file that is not a workbook
READERS = {".html": read_page, ".txt": read_lines, ".qdpx": read_records}
UNKNOWN = -1
_COMPARED = 16_000  # characters of a cell; workbooks shorten cells that have more than twice as many
_CUT_UNITS = 16_000  # the least UTF-16 units of a cell whose text continues in a further row


def read(folder: Folder, kinds: Mapping[str, Kind], batches: int) -> tuple[pa.Table, str | None]:
    """The records of the folder's first `batches`, and a note if they had to be read from the workbooks."""
    file, listed = folder.path / DELIVERED, folder.files.get(DELIVERED)
    books = [
        entry for entry in folder.files.values() if entry.columns and entry.kind in kinds and entry.batch <= batches
    ]
    counts = Counter[tuple[str, int, str]]()
    for entry in books:
        counts[entry.kind, entry.batch, entry.group or ""] += entry.records
    if listed and hash_of(folder.path, DELIVERED) == listed.sha256:
        with suppress(ValueError, KeyError):
            records = _with_todays_names(load(file), folder.manifest.old_stems())
            records = records.filter(pc.less_equal(records["batch"], batches))
            if _counted(records, kinds) == counts:
                return records, None
    records = _rebuild(folder, books, kinds)
    if not records.num_rows:
        return records, None
    state = "was changed" if file.is_file() else "is missing"
    return records, f"{file} {state}: {counted(records.num_rows, 'record')} read from the workbooks and pages instead."


def _with_todays_names(records: pa.Table, old: Mapping[str, str]) -> pa.Table:
    names, places = records["workbook"], pc.index_in(records["workbook"], pa.array(list(old), pa.string()))
    today = pc.coalesce(pc.take(pa.array(list(old.values()), pa.string()), places), names)
    return records.set_column(RECORDS.get_field_index("workbook"), "workbook", today)


def _counted(records: pa.Table, kinds: Iterable[str]) -> Counter[tuple[str, int, str]]:
    """The number of records of each workbook of some kinds."""
    counted = records.group_by(RECORDS.names[:3]).aggregate([([], "count_all")])
    rows = zip(*(column.to_pylist() for column in counted.columns), strict=True)
    return Counter({(kind, batch, workbook): count for kind, batch, workbook, count in rows if kind in kinds})


def open_part(file: Path) -> pyarrow.csv.CSVWriter:
    """A file for the records of one kind, to be written while its workbooks are."""
    return pyarrow.csv.CSVWriter(file, RECORDS, write_options=pyarrow.csv.WriteOptions(include_header=False))


def write(file: Path, records: pa.Table, parts: Iterable[Path]) -> None:
    """Write the records that the folder will have: those that stay, and those of each part."""
    pyarrow.csv.write_csv(records, file)
    with file.open("ab") as whole:
        for part in parts:
            with part.open("rb") as stream:
                shutil.copyfileobj(stream, whole)


def load(file: Path) -> pa.Table:
    """The records of a file. Raises ValueError or KeyError if it contains anything else."""
    convert = pyarrow.csv.ConvertOptions(column_types=RECORDS, strings_can_be_null=False)
    records = pyarrow.csv.read_csv(
        file, parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True), convert_options=convert
    )
    if records.schema != RECORDS or any(column.null_count for column in records.columns):
        raise ValueError("other columns or values")
    return records


# --- fingerprints


def fingerprints(rows: pa.RecordBatch, layout: Layout) -> pa.Array:
    """A number for each row: of the long text if the kind has one, else of all cells.

    CRC-32 is enough to show a change by accident, and three times as fast as a cryptographic hash.
    """
    if layout.long_text:
        return _checksums(as_text(rows.column(layout.long_text)))
    cells = [pc.utf8_slice_codeunits(as_text(rows.column(column.name)), 0, _COMPARED) for column in layout.columns]
    separator = pa.scalar("\x1f", pa.large_string())
    return _checksums(pc.binary_join_element_wise(*cells, separator, null_handling="replace", null_replacement=""))


def _checksums(array: pa.Array) -> pa.Array:
    # one by one, because texts may be long
    return pa.array([zlib.crc32(text.as_py() or b"") for text in array.cast(pa.large_binary())], pa.int64())


# --- from the workbooks


def _rebuild(folder: Folder, books: Iterable[Entry], kinds: Mapping[str, Kind]) -> pa.Table:
    """The records of some workbooks. Raises ProbesheetsError unless all of them can be read."""
    tables = [RECORDS.empty_table()]
    for entry in books:
        file, found = folder.path / entry.path, list[tuple[str, int]]()
        with suppress(OSError, CalamineError, ValueError):
            if file.is_file() and not linked(folder.path, entry.path):
                found = list(_read_workbook(file, entry, kinds[entry.kind].layout))
        if len(found) != entry.records:
            raise ProbesheetsError(
                f"{DELIVERED} is missing or damaged, and only {len(found):,} of {entry.records:,} records can be read "
                f"from {file}: some might be delivered twice. Restore {DELIVERED}"
                f"{'' if file.suffix == '.txt' else ' or that file'}, or choose another folder with --out."
            )
        same = [pa.repeat(value, len(found)) for value in (entry.kind, entry.batch, entry.group or "")]
        tables.append(pa.table([*same, [record for record, _ in found], [mark for _, mark in found]], schema=RECORDS))
    return pa.concat_tables(tables)


def open_sheet(file: Path) -> CalamineSheet:
    """The first sheet of a workbook. Raises CalamineError if it cannot be opened."""
    return CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0)


def _read_workbook(file: Path, entry: Entry, layout: Layout) -> Iterator[tuple[str, int]]:
    """Each record of a workbook, page or project with its fingerprint. A reader may have added and moved columns.

    Raises ValueError if a column that identifies the records is missing.
    """
    read = READERS.get(file.suffix)
    if read is read_lines:
        raise ValueError("a line of text has no Record ID")
    header, *rows = [entry.columns, *read(file, entry.columns)] if read else open_sheet(file).to_python()
    headers = {column.name: column.header for column in layout.columns}
    at, long = header.index(entry.columns[0]), headers.get(layout.long_text or "")
    if long is None:
        for row in rows:
            cells = "\x1f".join(_cell(cell)[:_COMPARED] for cell in row)
            yield _cell(row[at]), zlib.crc32(cells.encode()) if header == list(headers.values()) else UNKNOWN
        return
    place, texts = header.index(long), list[tuple[str, list[str]]]()
    for row in rows:
        record, pieces = texts[-1] if texts else ("", [])
        if pieces and row[at] == f"{record}-{len(pieces) + 1}" and units(pieces[-1]) > _CUT_UNITS:
            pieces.append(str(row[place]))
        else:
            texts.append((_cell(row[at]), [str(row[place])]))
    yield from ((record, zlib.crc32("".join(pieces).encode())) for record, pieces in texts)


def _cell(cell: Any) -> str:
    """The text of a cell as it was before it was written; readers return numbers as floats."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, date):
        return str(cell)[:10]  # without the time
    return "" if cell is None else str(cell)
