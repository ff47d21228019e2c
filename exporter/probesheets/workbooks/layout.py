"""What a kind of spreadsheet looks like, and what no reader takes."""

import re
from dataclasses import dataclass
from typing import Any, Literal

CELL_UNITS = 32_767  # UTF-16 units in a cell
DIGITS_15 = 999_999_999_999_999  # larger numbers are text
LOOKS_ESCAPED = "_x[0-9A-Fa-f]{4}_"  # readers take _x0041_ for an escaped A
ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # the underscores to escape: matches may overlap


@dataclass(frozen=True)
class Column:
    """A column of the sheet: its name in the batches, its header, its width in characters, wrapped or not."""

    name: str
    header: str
    width: float | None = None
    wrap: bool = False


@dataclass(frozen=True)
class Layout:
    """What a kind of spreadsheet looks like.

    Text of the column `long_text` that is too long for a cell goes on in further rows, whose first column (a
    record ID) ends in -2, -3, …; `dates` are date cells, or ISO text for importers that fail on date cells.
    """

    sheet: str
    columns: tuple[Column, ...]
    long_text: str | None = None
    dates: Literal["cell", "text"] = "cell"


def units(text: str) -> int:
    """The length of a text in UTF-16 units, as Excel counts it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def group_name(value: Any) -> str | None:
    """What names a workbook for a value of the column `one_file_per`."""
    return str(value).upper() if isinstance(value, bool) else None if value is None else str(value)


def check(layout: Layout) -> None:
    """Refuse a layout that some reader would refuse or change."""
    sheet, seen = layout.sheet, set[str]()
    if (
        not re.fullmatch(r"(?!')[^\[\]:*?/\\\x00-\x1f]{1,31}(?<!')", sheet)
        or not sheet.isprintable()
        or sheet.casefold() == "history"
    ):
        rule = "1 to 31 characters on one line, none of []:*?/\\, no apostrophe at an edge, not History"
        raise ValueError(f"sheet name {sheet!r}: {rule}")
    if not 1 <= len(layout.columns) <= 256:
        raise ValueError(f"sheet {sheet!r}: {len(layout.columns)} columns; a sheet has 1 to 256")
    for column in layout.columns:
        header, bare = column.header, re.sub(r"[\W_]", "", column.header.casefold())
        for broken, rule in (
            (not bare, "must have a letter or a digit"),
            (not header.isprintable() or header != header.strip(), "must be one line without edge spaces"),
            (len(header) > 63, "must have at most 63 characters"),
            (header[:1] in tuple("!^&<.:#"), "must not begin with one of ! ^ & < . : #"),
            (bare == "id", "must not be ID: NVivo adds a column of that name"),
            (bare in seen, "is there twice (case and punctuation do not count)"),
            (ESCAPE.search(header), "must not hold an escape such as _x0041_"),
        ):
            if broken:
                raise ValueError(f"header {header!r} of column {column.name} {rule}")
        width = column.width
        if width is not None and not (type(width) in (int, float) and 0 < width <= 255):
            raise ValueError(f"width {width} of column {column.name} must be over 0 and at most 255 characters")
        seen.add(bare)
    if layout.long_text and layout.long_text not in {column.name for column in layout.columns[1:]}:
        raise ValueError(f"long_text {layout.long_text!r} must be one of the columns after the first")
    if layout.dates not in ("cell", "text"):
        raise ValueError(f"dates {layout.dates!r} must be 'cell' or 'text'")
