"""Open a file, or several of one kind, as a relation of DuckDB: every column as text, as it is written."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from glob import escape, glob
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from probesheets.errors import ProbesheetsError, shown
from probesheets.source.csv_files import read_chunks
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


Opener = Callable[[duckdb.DuckDBPyConnection, Sequence[Path], Sequence[str]], AbstractContextManager[Rows]]


def file_list(files: Sequence[Path]) -> str:
    """Files as SQL: a `[` or `*` in a name is no pattern for DuckDB."""
    return f"[{', '.join(literal(escape(str(file))) for file in files)}]"


def find_files(place: str) -> list[Path]:
    """The files of a path or a pattern such as `runs/*.jsonl`, by name. Raises ProbesheetsError if there is none."""
    path = Path(place)
    is_pattern = any(letter in place for letter in "*?[") and not path.exists()
    files = sorted(map(Path, glob(place, recursive=True))) if is_pattern else [path]  # noqa: PTH207 (takes absolute patterns, too)
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
    from probesheets.source.captions import open_captions
    from probesheets.source.excel import open_workbook
    from probesheets.source.json_files import open_json
    from probesheets.source.llm_logs import SQLITE, open_llm_logs
    from probesheets.source.parquet import open_parquet

    openers: dict[str, Opener] = dict.fromkeys((".json", ".jsonl", ".ndjson"), open_json)
    openers |= {".parquet": open_parquet, ".pq": open_parquet, ".xlsx": open_workbook}
    openers |= {".vtt": open_captions, ".srt": open_captions}
    try:
        with files[0].open("rb") as file:
            is_sqlite = file.read(len(SQLITE)) == SQLITE  # its name may end in anything
    except OSError as error:
        raise ProbesheetsError(f"{files[0]} cannot be read: {error.strerror}.") from None
    opener = open_llm_logs if is_sqlite else openers.get(_ending(files[0]), _open_csv)
    with opener(connection, files, known) as rows:
        yield rows


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


@contextmanager
def _open_csv(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], known: Sequence[str]) -> Iterator[Rows]:
    with registered(connection, _chunks(files, known)):
        names = [str(row[0]) for row in connection.execute("describe incoming").fetchall()]  # DuckDB names empty ones
        yield Rows("incoming", names)


def _chunks(files: Sequence[Path], known: Sequence[str]) -> Iterator[pa.RecordBatch]:
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
