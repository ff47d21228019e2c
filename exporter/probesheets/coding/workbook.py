"""Read our own workbooks with codes typed in: a column for each code, or one column with the names of codes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from probesheets.errors import ProbesheetsError, shown
from probesheets.project.kinds import CODE
from probesheets.refi_qda.read import Source

NAMES = "Codes"  # the header of a column with names, separated by semicolons
_YES, _NO = ("x", "1", "yes", "true"), ("", "0", "no", "false")


def read_workbook(file: Path, sheets: Sequence[tuple[str, str]]) -> Iterator[Source]:
    """The rows of the first sheet; their variables are the codes that have a column.

    `sheets` has the headers of the Record ID and the text for each kind of workbook.
    Raises ProbesheetsError if columns are missing or a cell is neither yes nor no.
    """
    import pandas as pd

    frame = pd.read_excel(file, engine="calamine", dtype=str, na_filter=False, header=None)
    header, *rows = frame.to_numpy().tolist() or [[]]
    headers = [str(cell).strip() for cell in header]
    found = next(((headers.index(key), headers.index(text)) for key, text in sheets if {key, text} <= {*headers}), None)
    codes = {place: code for place, name in enumerate(headers) if (code := _code(name)) is not None}
    if not (found and codes):
        lacks = f"columns such as {CODE}NAME, and no column {NAMES}" if found else " and ".join(sheets[0])
        raise ProbesheetsError(f"{file} has no {lacks}. Its columns are: {shown(', '.join(headers))}.")
    if len({*codes.values()}) < len(codes):
        raise ProbesheetsError(f"{file} has a code twice. Its columns are: {shown(', '.join(headers))}.")
    for number, row in enumerate(rows, 2):
        text, given = row[found[1]], dict[str, None]()
        for place, code in codes.items():
            cell = str(row[place]).strip()
            if not code:
                given |= dict.fromkeys(filter(None, map(str.strip, cell.split(";"))))
            elif cell.casefold() in _YES:
                given[code] = None
            elif cell.casefold() not in _NO:
                raise ProbesheetsError(
                    f"{file}, row {number}, {headers[place]}: {cell!r} is not a valid value. Write x, 1 or yes if the "
                    "text has the code. Otherwise leave the cell empty."
                )
        codings = [(None, code, 0, len(text)) for code in given]
        yield Source(str(row[found[0]]), f"row {number}", text, codings, dict.fromkeys(codes.values(), ""))


def _code(header: str) -> str | None:
    """The code of a column; an empty text for the column with names; None for another column."""
    if header.casefold() == NAMES.casefold():
        return ""
    begins = header.casefold().startswith(CODE.strip().casefold())
    return header[len(CODE.strip()) :].strip() or None if begins else None
