"""Open a file, or several of one kind, as a relation of DuckDB: every column as text, as it is written."""

import gzip
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from glob import escape, glob
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

import duckdb

from probesheets.errors import ProbesheetsError
from probesheets.sql import literal, quoted


class Rows(NamedTuple):
    """`relation` is SQL for a from clause; the columns in `nested` hold lists or structures, as JSON.

    `shape` is the name of the shape, if the kind of the file says it; `why` is what says it.
    """

    relation: str
    columns: Sequence[str]
    nested: frozenset[str] = frozenset()
    shape: str | None = None
    why: str = ""


_SQLITE = b"SQLite format 3\0"  # how such a file begins
Opener = Callable[[duckdb.DuckDBPyConnection, Sequence[Path], Sequence[str]], AbstractContextManager[Rows]]


def file_list(files: Sequence[Path]) -> str:
    """Files as SQL: a `[` or `*` in a name is no pattern for DuckDB."""
    return f"[{', '.join(literal(escape(str(file))) for file in files)}]"


def find_files(place: str) -> list[Path]:
    """The files of a path or a pattern such as `runs/*.jsonl`, by name. Raises ProbesheetsError if there is none."""
    path = Path(place)
    is_pattern = any(letter in place for letter in "*?[") and not path.exists()
    files = sorted(map(Path, glob(place, recursive=True))) if is_pattern else [path]  # noqa: PTH207 (takes absolute patterns, too)
    files = sorted(path.glob("*.parquet")) or files if path.is_dir() else files
    if not files:
        raise ProbesheetsError(f"No file matches {place} (looked in {Path.cwd()}). Correct the pattern in --source.")
    for file in files:
        if not file.is_file():
            where = "" if file.is_absolute() else f" in {Path.cwd()}"
            what = "is a folder" if file.is_dir() else f"does not exist{where}"
            raise ProbesheetsError(f"{file} {what}. Give a file: CSV, JSON, Parquet, Excel or captions.")
        if file.stat().st_size == 0:
            raise ProbesheetsError(f"{file} is empty. Choose another file.")
    if len({_ending(file) for file in files}) > 1:
        kinds = ", ".join(sorted({_ending(file) for file in files}))
        raise ProbesheetsError(f"{place} matches files of several kinds: {kinds}. Choose one kind: --source '*.jsonl'")
    return files


@contextmanager
def open_files(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], known: Sequence[str]) -> Iterator[Rows]:
    """The rows of files of one kind, in their order. `known` are names that the header of a CSV file may have.

    Raises ProbesheetsError if the files cannot be read; also while the rows are read.
    """
    try:
        with files[0].open("rb") as file:
            is_sqlite = file.read(len(_SQLITE)) == _SQLITE  # its name may end in anything
    except OSError as error:
        raise ProbesheetsError(f"{files[0]} cannot be read: {error.strerror}.") from None
    with _reader("SQLite" if is_sqlite else _ending(files[0]))(connection, files, known) as rows:
        yield rows


def _reader(ending: str) -> Opener:
    """What reads files with this ending, or of SQLite. Imports only that: most need pyarrow, which takes a while."""
    reader: Opener
    match ending:
        case ".json" | ".jsonl" | ".ndjson":
            from probesheets.source.json_files import open_json as reader
        case ".parquet" | ".pq":
            from probesheets.source.parquet import open_parquet as reader
        case ".xlsx":
            from probesheets.source.excel import open_workbook as reader
        case ".vtt" | ".srt":
            from probesheets.source.captions import open_captions as reader
        case "SQLite":
            from probesheets.source.llm_logs import open_llm_logs as reader
        case _:
            from probesheets.source.csv_files import open_csv as reader
    return reader


def is_packed(path: Path) -> bool:
    """Whether gzip has packed a file."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def open_packed(path: Path) -> gzip.GzipFile | BufferedReader:
    """A file, unpacked while it is read if gzip has packed it."""
    return gzip.open(path) if is_packed(path) else path.open("rb")


def _ending(file: Path) -> str:
    """The ending that says of which kind a file is, without that of gzip."""
    return (Path(file.stem) if file.suffix.lower() == ".gz" else file).suffix.lower()


@contextmanager
def reading(message: Callable[[str], ProbesheetsError]) -> Iterator[None]:
    """An error of DuckDB becomes a message, unless it is about memory or about the file that DuckDB writes."""
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.TransactionException):
        raise
    except duckdb.Error as error:
        if "No space" in str(error) or "write" in str(error):
            raise
        raise message(str(error).strip()) from None


def as_texts(connection: duckdb.DuckDBPyConnection, relation: str) -> Rows:
    """A relation of any types, with each column as text."""
    types = {str(name): str(kind) for name, kind, *_ in connection.execute(f"describe from {relation}").fetchall()}
    nested = frozenset(name for name, kind in types.items() if re.match(r"STRUCT|MAP|.*\]$", kind))
    texts = ", ".join(
        f"cast({f'to_json({quoted(name)})' if name in nested else quoted(name)} as varchar) as {quoted(name)}"
        for name in types
    )
    return Rows(f"(select {texts} from {relation})", [*types], nested)
