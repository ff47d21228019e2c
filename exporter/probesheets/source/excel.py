"""Read an Excel workbook with one sheet, as a whole."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from probesheets.errors import ProbesheetsError, shown
from probesheets.source.files import Rows, registered
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
    filled = {str(name): frame for name, frame in sheets.items() if not frame.empty}
    if len(filled) != 1:
        names = ", ".join(map(shown, filled)) or "none"
        raise ProbesheetsError(
            f"{files[0]} must have one sheet with rows, but has {len(filled)}: {names}.\n"
            "Save the sheet that you want to read as a workbook of its own."
        )
    rows = [[_text(value) for value in row] for row in filled.popitem()[1].itertuples(index=False)]
    columns = [*zip(*filter(any, rows), strict=True)]  # an empty row is not a row, as in CSV
    if nameless := [number for number, column in enumerate(columns, 1) if not column[0] and any(column)]:
        raise ProbesheetsError(
            f"{files[0]}: column {nameless[0]} has no name in the first row (are cells merged there?).\n"
            "Unmerge the cells of the first row, and give each column a name."
        )
    titles = [title.strip() for title, *_ in columns if title]
    check_names(str(files[0]), titles)
    texts = [pa.array(column[1:], pa.large_string()) for column in columns if column[0]]
    with registered(connection, [pa.RecordBatch.from_arrays(texts, names=titles)]):
        yield Rows("incoming", titles)


def _text(value: Any) -> str | None:
    """The text of a cell; None if it is empty."""
    return None if value is None or value == "" or value != value else str(value)
