"""Read an Excel workbook with one sheet, as a whole."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from probesheets.errors import ProbesheetsError, shown
from probesheets.source.batches import registered
from probesheets.source.files import Rows
from probesheets.source.limits import check_names


@contextmanager
def open_workbook(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], _known: Sequence[str]
) -> Iterator[Rows]:
    """The rows of a workbook; the first one names the columns. Dates become ISO texts, numbers their digits."""
    import pandas as pd

    if len(files) > 1:
        raise ProbesheetsError(f"--source matches {len(files)} Excel workbooks. Copy them one by one, with --append.")
    try:
        sheets = pd.read_excel(files[0], sheet_name=None, header=None, dtype=object, engine="calamine", na_filter=False)
    except Exception as error:  # calamine's errors have no common class
        raise ProbesheetsError(f"{files[0]} cannot be read as an Excel workbook: {error}") from None
    filled = {str(name): rows for name, frame in sheets.items() if (rows := _rows(frame))}
    if len(filled) != 1:
        names = ", ".join(map(shown, filled)) or "none"
        raise ProbesheetsError(
            f"{files[0]} must have one sheet with rows, but has {len(filled)}: {names}.\n"
            "Save the sheet that you want to read as a workbook of its own."
        )
    header, *rows = filled.popitem()[1]
    titles = [(title or "").strip() for title in header]
    columns = [*zip(*rows, strict=True)] or [()] * len(header)
    if nameless := [place for place, title in enumerate(titles) if not title and any(columns[place])]:
        raise ProbesheetsError(
            f"{files[0]}: column {nameless[0] + 1} has no name in the first row (are cells merged there?).\n"
            "Unmerge the cells of the first row, and give each column a name."
        )
    named = [(title, column) for title, column in zip(titles, columns, strict=True) if title]
    titles = [title for title, _ in named]
    check_names(str(files[0]), titles)
    texts = [pa.array(column, pa.large_string()) for _, column in named]
    with registered(connection, [pa.RecordBatch.from_arrays(texts, names=titles)]):
        yield Rows("incoming", titles)


def _rows(frame: Any) -> list[list[str | None]]:
    """The rows of a sheet that are not empty."""
    rows = ([_text(value) for value in row] for row in frame.itertuples(index=False))
    return [row for row in rows if any(cell and cell.strip() for cell in row)]


def _text(value: Any) -> str | None:
    """The text of a cell; None if it is empty."""
    return None if value is None or value == "" or value != value else str(value)
