"""Read our own workbooks with codes typed in: a column for each code, or one column with the names of codes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from probesheets.coding.document import Document
from probesheets.errors import ProbesheetsError, shown
from probesheets.project.kinds import CODE

NAMES = "Codes"  # the header of a column with names, separated by semicolons
_YES, _NO = ("x", "1", "yes", "true"), ("", "0", "no", "false")


def read_workbook(file: Path, sheets: Sequence[tuple[str, str]]) -> Iterator[Document]:
    """The rows of the first sheet. `sheets` has the headers of the Record ID and the text for each kind of workbook.

    Raises ProbesheetsError if columns are missing or a cell is neither yes nor no.
    """
    import pandas as pd

    frame = pd.read_excel(file, engine="calamine", dtype=str, na_filter=False)
    headers = [str(header) for header in frame.columns]
    found = next(((key, text) for key, text in sheets if {key, text} <= {*headers}), None)
    columns = [header for header in headers if header.startswith(CODE) or header == NAMES]
    if not (found and columns):
        lacks = f"columns such as {CODE}NAME, and no column {NAMES}" if found else " and ".join(sheets[0])
        raise ProbesheetsError(f"{file} has no {lacks}. Its columns are: {shown(', '.join(headers))}.")
    for number, row in enumerate(frame.to_dict("records"), 2):
        text, codes = row[found[1]], dict[str, None]()
        for header in columns:
            cell = row[header].strip()
            if header == NAMES:
                codes |= dict.fromkeys(filter(None, map(str.strip, cell.split(";"))))
            elif cell.casefold() in _YES:
                codes[header.removeprefix(CODE).strip()] = None
            elif cell.casefold() not in _NO:
                raise ProbesheetsError(
                    f"{file}, row {number}, {header}: {cell!r} is neither yes nor no. Write x, 1 or yes if the text "
                    "has the code. Otherwise leave the cell empty."
                )
        yield Document(row[found[0]], f"row {number}", text, [(None, code, 0, len(text)) for code in codes])
