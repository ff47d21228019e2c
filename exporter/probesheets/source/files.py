"""A CSV or Parquet file as batches of text: every column as it is written, nothing guessed.

CSV is read by numpy, a block at a time: a reader that is fast, strict about quotes and indifferent to line ends was not
found. What is kept of a block is its bytes without delimiters, line ends and the quotes around fields.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

import probesheets.pyarrow_setup  # noqa: F401
from probesheets.errors import ProbesheetsError, shown
from probesheets.warehouse import memory, more_memory

BLOCK_BYTES = 4 << 20  # of a CSV file, read at a time
PARQUET_ROWS = 128  # at a time: a Parquet file does not say how long its longest text is
CHUNK_ROWS = 2_048  # that DuckDB works on at the same time
COPIES, CHUNK_COPIES = 64, 12  # a build takes about so many times the memory of a text, and of CHUNK_ROWS of them
_LF, _CR, _QUOTE = b'\n\r"'
# by what is directly before each quote: fields that begin with one, then quotes that stand within other fields
_LITERAL = re.compile(rb'(?:\|.?(?:".?)*+)*+(["x]+)')
_BROKEN = "Fields with quotes, delimiters or line breaks must be quoted, and quotes in them doubled."
Numbers = np.ndarray[Any, Any]


def longest() -> int:
    """The bytes that a row of a CSV file may have, and a cell from elsewhere."""
    return min(memory() // COPIES, 10**9)  # two of them fit into what Arrow calls a string


def read_batches(path: Path, required: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """The rows of a file, at least one batch. Raises ProbesheetsError for anything wrong with it."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else f"is not a file (looked for {path.absolute()})"
        raise ProbesheetsError(f"{path} {what}. --source and --experiments take a CSV or a Parquet file.")
    if path.stat().st_size == 0:
        raise ProbesheetsError(f"{path} is empty. It should hold the columns {', '.join(required)}.")
    read = _parquet_batches if path.suffix.lower() in (".parquet", ".pq") else _csv_batches
    rows = size = 0
    try:
        for batch in read(path, required):
            yield batch
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if rows >= CHUNK_ROWS:
                check_size(path, size)
                rows = size = 0
        check_size(path, size)
    except OSError as error:
        raise ProbesheetsError(f"{path} cannot be read: {error.strerror or error}.") from None


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


def check_size(path: Path, size: float) -> None:
    """Raises ProbesheetsError if so many bytes in CHUNK_ROWS rows are too much for a build."""
    if size > memory() / CHUNK_COPIES:
        needed = f"PROBESHEETS_MEMORY={size * CHUNK_COPIES / 1e9 + 1:.0f}GB"
        raise ProbesheetsError(
            f"{path} has rows that are too long: {CHUNK_ROWS:,} of them hold {size / 1e6:,.0f} MB, and building takes "
            f"{CHUNK_COPIES} times as much memory. Run the command again with {needed}."
        )


def _parquet_batches(path: Path, required: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    try:
        file = pyarrow.parquet.ParquetFile(path, buffer_size=1 << 20)  # else whole columns are read at once
        texts = pa.schema([(name, pa.string()) for name in file.schema_arrow.names])
        check_columns(path, texts.names, required)
        yield pa.RecordBatch.from_pylist([], schema=texts)
        for group in range(file.num_row_groups):
            about = file.metadata.row_group(group)
            check_size(path, about.total_byte_size * min(1, CHUNK_ROWS / max(1, about.num_rows)))
            rows = min(PARQUET_ROWS, 1 + BLOCK_BYTES * max(0, about.num_rows) // max(1, about.total_byte_size))
            for batch in file.iter_batches(rows, row_groups=[group]):
                batch = batch.cast(texts)
                batch.validate(full=True)
                yield batch
    except (pa.ArrowException, OSError, ValueError) as error:  # also of names that are not UTF-8
        raise ProbesheetsError(f"{path} cannot be read as Parquet: {str(error).partition(chr(10))[0]}") from None


# --- CSV


def _csv_batches(path: Path, required: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """Every field as it is written (RFC 4180), the delimiter being the one that the header uses."""
    names: list[str] = []
    with path.open("rb") as file:
        place = len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0  # of the first byte of `data`
        file.seek(place)
        head = file.read(1 << 20).lstrip(b"\r\n").replace(b"\r", b"\n").partition(b"\n")[0]
        file.seek(place)
        delimiter, data, more = max(b",;\t|", key=head.count), b"", True
        while more:
            new = file.read(max(BLOCK_BYTES, len(data)))  # twice as much if a row is longer than a block
            data, more = data + (new or b"\n"), bool(new)
            try:
                fields, counts, starts, size = _rows(data, delimiter)
                if not names and counts.size:
                    names = [name.strip() for name in fields[: counts[0]].to_pylist()]
                    check_columns(path, names, required)
                    fields, counts, starts = fields[counts[0] :], counts[1:], starts[1:]
                _check(fields, counts, starts, len(names))
                if len(data) - size > longest():
                    what = f"a row is over {longest() / 1e6:.0f} MB, or a quote in it is not closed."
                    raise ValueError(size, f"{what} If rows are that long, run the command again with {more_memory()}.")
                if not more and size < len(data):
                    raise ValueError(size, f"not a proper CSV file: a quote in this row is not closed. {_BROKEN}")
            except ValueError as fault:
                raise _error(path, place, data, fault) from None
            if names:
                first = np.arange(0, len(fields), len(names), dtype=np.int32)
                columns = [fields.take(pa.array(first + number)) for number in range(len(names))]
                yield pa.RecordBatch.from_arrays(columns, names)
            place, data = place + size, data[size:]
    check_columns(path, names, required)


def _check(fields: pa.StringArray, counts: Numbers, starts: Numbers, wanted: int) -> None:
    """Each row has as many fields as the header."""
    for row in np.flatnonzero(counts != wanted)[:1]:
        begin = ",".join(fields[counts[:row].sum() :][: counts[row]].to_pylist())[:80]
        raise ValueError(starts[row], f"a row has {counts[row]} fields, the header has {wanted}. It begins: {begin!r}")


def _rows(data: bytes, delimiter: int) -> tuple[pa.StringArray, Numbers, Numbers, int]:
    """The complete rows at the start of a block: all fields, how many each row has, where it starts; and their size.

    Empty lines are none. Raises ValueError: a place and what is wrong there, or pyarrow's for what is not UTF-8.
    """
    raw = np.frombuffer(data, np.uint8)
    at = np.flatnonzero((raw == delimiter) | (raw == _LF) | (raw == _CR) | (raw == _QUOTE))
    at = at[_structural(raw, at, delimiter)]
    line = (raw[at] == _LF) | (raw[at] == _CR)
    last = np.flatnonzero(line)[-1:] + 1
    at, line = at[: last.sum()], line[: last.sum()]
    size = int(at[-1]) + 1 if at.size else 0
    # an empty line, or the LF of a CR LF: a line end directly behind another one, or at the start
    empty = line & (np.diff(at, prepend=-1) == 1) & np.concatenate(([True], line))[:-1]
    ends = (raw[at] != _QUOTE) & ~empty  # of fields
    offsets = np.concatenate(([0], (at - np.arange(at.size))[ends])).astype(np.int32)
    kept = np.ones(size, bool)
    kept[at] = False
    fields = pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(raw[:size][kept]))
    fields.validate(full=True)
    counts = np.diff(np.flatnonzero(line[ends]), prepend=-1)
    starts = np.concatenate(([0], at[line] + 1))[:-1][~empty[line]]
    return fields, counts, starts, size


def _structural(raw: Numbers, at: Numbers, delimiter: int) -> Numbers:
    """Which of these quotes, delimiters and line ends are no part of a text."""
    kinds = np.full(256, ord("x"), np.uint8)
    kinds[[delimiter, _LF, _CR]], kinds[_QUOTE] = ord("|"), _QUOTE
    quote = raw[at] == _QUOTE
    places = at[quote]
    before, behind = kinds[raw[places - 1]], kinds[raw[np.minimum(places + 1, len(raw) - 1)]]
    before[places == 0] = ord("|")
    literal, seen = np.zeros(places.size, bool), 0  # inside a field that does not begin with a quote
    if (before[::2] == ord("x")).any():  # else they open and close in turn
        while match := _LITERAL.match(before, seen):
            seen = match.end()
            literal[match.start(1) : seen] = True
    closing = ~literal & (np.cumsum(~literal) % 2 == 0)  # or the first of two
    for place in places[closing & (behind == ord("x"))][:1]:
        begin = places[~literal & ~closing & (before == ord("|")) & (places < place)][-1]  # of the field
        raise ValueError(
            begin, f"not a proper CSV file: in the field that begins here a quote is missing or not doubled. {_BROKEN}"
        )
    toggles = quote.copy()
    toggles[quote] = ~literal
    structural: Numbers = np.cumsum(toggles) % 2 == 0
    structural[quote] = closing | (~literal & (before == ord("|")))
    return structural


def _error(path: Path, place: int, data: bytes, fault: ValueError) -> ProbesheetsError:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 (byte 0x{data[error.start]:02X} in line {_line(path, place + error.start)})"
        with path.open("rb") as file:
            what = "is an Excel workbook, not a CSV file" if file.read(2) == b"PK" else what
        return ProbesheetsError(f"{path} {what}. Save it as UTF-8, in Excel: Save as, CSV UTF-8.")
    at, what = fault.args
    return ProbesheetsError(f"{path}, line {_line(path, place + int(at))}: {what}")


def _line(path: Path, place: int) -> int:
    """The number of the line that holds a byte of a file."""
    line, last = 1, b""
    with path.open("rb") as file:
        while data := file.read(min(place, BLOCK_BYTES)):
            line += data.count(b"\n") + data.count(b"\r") - (last + data).count(b"\r\n")
            place, last = place - len(data), data[-1:]
    return line
