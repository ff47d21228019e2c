"""Read a CSV file as record batches of text: every field as it is written, with nothing guessed."""

import codecs
import csv
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from io import StringIO, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TextIO

import duckdb
import pyarrow as pa

from probesheets.errors import ProbesheetsError, shown
from probesheets.settings import more_memory
from probesheets.source.batches import registered, text_batch
from probesheets.source.files import Rows, open_packed
from probesheets.source.limits import check_names, longest
from probesheets.warehouse.base import CHUNK_ROWS

BLOCK_BYTES = 4 << 20  # of a file that become a record batch, approximately
_QUOTING = "Enclose fields with quotes, delimiters or line breaks in quotes, and double the quotes inside them."
_SERVER = "--source mysql://user@host:port/schema"
_ESCAPED = (
    'a quote is escaped with a backslash (\\"), but must be doubled (""). If phpMyAdmin wrote the file, set "Columns '
    'escaped with" to ", and export again. SELECT ... INTO OUTFILE cannot double the quotes of every text; instead, '
    f"read the server with {_SERVER}"
)
_NOT_CSV = {  # how a file begins: what it is, and what to do
    "PK\x03\x04": "is an Excel workbook, not a CSV file. Give it a name that ends in .xlsx.",
    "PAR1\x15": "is a Parquet file, not a CSV file. Unpack it, and give it a name that ends in .parquet.",
    r"--[\s-]|/\*|(?i:(create|drop) (table|database|schema)|insert into)\b": "is an SQL dump, not a CSV file. Import "
    f"it into a MariaDB or MySQL server, and run the command with {_SERVER}. Or export the table as CSV or Parquet.",
    r'[\[{]\s*["\[{]': "is JSON, not a CSV file. Give it a name that ends in .jsonl.",
}


@contextmanager
def open_csv(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], known: Sequence[str]) -> Iterator[Rows]:
    with registered(connection, _all_chunks(files, known)):
        names = [str(row[0]) for row in connection.execute("describe incoming").fetchall()]  # DuckDB names empty ones
        yield Rows("incoming", names)


def _all_chunks(files: Sequence[Path], known: Sequence[str]) -> Iterator[pa.RecordBatch]:
    schema = None
    for file in files:
        for chunk in read_chunks(file, known):
            schema = schema or chunk.schema
            if chunk.schema != schema:
                raise ProbesheetsError(
                    f"{file} has other columns than {files[0]}: {', '.join(map(shown, chunk.schema.names))}.\n"
                    "Copy the files one by one, with --append."
                )
            yield chunk


def read_chunks(path: Path, known: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """At least one record batch of texts: every field as it is written (RFC 4180). `known` are names that a header has.

    Raises ProbesheetsError if the file is not CSV, or has rows that are too long.
    """
    try:
        yield from _chunks(path, known)
    except (OSError, EOFError, zlib.error) as error:  # the last two: a damaged .gz
        raise ProbesheetsError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def _chunks(path: Path, known: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a file. The delimiter is the one that occurs most in the header."""
    most = longest()
    size = first = 0  # characters read since the last record batch; line in which the current row begins
    escaped = False  # whether the current row has a quote after a backslash
    names: list[str] = []
    rows: list[list[str]] = []

    def lines(file: TextIO) -> Iterator[str]:
        nonlocal size, escaped
        while line := file.readline(most + 1):
            if len(line) > most:
                raise csv.Error("field limit")
            size += len(line)
            escaped = escaped or '\\"' in line
            yield line

    csv.field_size_limit(most)
    encoding, delimiter = _begin(path)
    with TextIOWrapper(open_packed(path), encoding, newline="") as file:
        reader = csv.reader(lines(file), delimiter=delimiter, strict=True)
        try:
            for row in reader:
                if row and not names:
                    names = _header(path, row, known, delimiter)
                elif row:  # an empty line is not a row
                    if len(row) != len(names):
                        raise _wrong_count(path, first + 1, row, len(names), escaped)
                    rows.append(row)
                first, escaped = reader.line_num, False
                if rows and (size > BLOCK_BYTES or len(rows) == CHUNK_ROWS):
                    yield text_batch(names, rows)
                    rows, size = [], 0
        except (csv.Error, UnicodeDecodeError) as error:
            raise _csv_error(path, first + 1, reader.line_num, error, encoding, escaped) from None
    yield text_batch(names, rows)


def _begin(path: Path) -> tuple[str, str]:
    """The encoding of a file and its delimiter. Raises ProbesheetsError if it is something other than CSV."""
    with open_packed(path) as file:
        head = file.read(1 << 20)
    utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not head.startswith(codecs.BOM_UTF32_LE)
    encoding = "utf-16" if utf16 else "utf-8-sig"
    text = head.decode(encoding, "replace").lstrip("\r\n")
    if what := next((what for pattern, what in _NOT_CSV.items() if re.match(pattern, text.lstrip())), None):
        raise ProbesheetsError(f"{path} {what}")
    return encoding, max(",;\t|", key=partial(_fields, text))


def _fields(text: str, delimiter: str) -> tuple[bool, int]:
    """Whether the first rows have as many fields as the header, and how often the delimiter is in the first line."""
    counts: list[int] = []
    with suppress(csv.Error):
        counts += [len(row) for row in islice(csv.reader(StringIO(text), delimiter=delimiter), 5)]
    fits = bool(counts) and counts[0] > 1 and len({*counts[: max(1, len(counts) - 1)]}) == 1
    return fits, re.split("[\r\n]", text, maxsplit=1)[0].count(delimiter)


def _header(path: Path, row: list[str], known: Sequence[str], delimiter: str) -> list[str]:
    names = [name.strip() for name in row]
    if not {*known} & {name.lower() for name in names} and any(name.isdecimal() for name in names):
        example = delimiter.join(known[:6])
        raise ProbesheetsError(f"{path} has no header line. Add a first line with the names of its columns: {example}")
    check_names(str(path), names)
    return names


def _wrong_count(path: Path, line: int, row: list[str], wanted: int, escaped: bool) -> ProbesheetsError:
    begin = ",".join(row)[:80]
    return ProbesheetsError(
        f"{path}, line {line}: the row has {len(row)} fields, but the header has {wanted}. It begins: {begin!r}"
        + (f"\nPerhaps {_ESCAPED}" if escaped else "")
    )


def _csv_error(path: Path, first: int, line: int, error: Exception, encoding: str, escaped: bool) -> ProbesheetsError:
    """The message for a file that is not proper CSV; the current row begins in line `first`."""
    wrong = _not_utf8(path) if encoding != "utf-16" else isinstance(error, UnicodeError) and "is not complete UTF-16"
    if wrong:
        return ProbesheetsError(f"{path} {wrong}. Save it as UTF-8; in Excel: Save as, CSV UTF-8.")
    if "field limit" in str(error):
        most = f"the row that begins here is over {longest() / 1e6:.0f} MB, or a quote in it is not closed"
        return ProbesheetsError(
            f"{path}, line {first}: {most}. If rows are that long, run the command again with {more_memory()}."
        )
    if escaped:
        return ProbesheetsError(f"{path}, line {line}: in the row that begins in line {first}, {_ESCAPED}")
    if "unexpected end" in str(error):
        return ProbesheetsError(f"{path}, line {first}: a quote in the row that begins here is not closed. {_QUOTING}")
    return ProbesheetsError(
        f"{path}, line {line}: in the row that begins in line {first}, a quote is missing or not doubled. {_QUOTING}"
    )


def _not_utf8(path: Path) -> str | None:
    with TextIOWrapper(open_packed(path), "utf-8", errors="surrogateescape", newline="") as file:
        number = 1
        while piece := file.readline(BLOCK_BYTES):
            if wrong := next((one for one in piece if "\udc80" <= one <= "\udcff"), None):
                return f"is not UTF-8 (byte 0x{ord(wrong) & 0xFF:02X} in line {number})"
            number += piece.endswith(("\n", "\r"))
    return None
